/** The version of the model, which logs name as the one that wrote them; a test holds it to package.json. */
export const MODEL_VERSION = '0.1.0'
