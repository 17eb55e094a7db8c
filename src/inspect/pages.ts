/** Pages as a person counts them. */

/** Pages [start, end): `16`, `16–19`. */
export const pages = (start: number, end: number): string => (end - start === 1 ? `${start}` : `${start}–${end - 1}`)
