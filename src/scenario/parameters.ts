/**
 * What a scenario can be made with: numbers, words and switches by name, each with the value that is meant if nobody asks for
 * another. So one scenario tells of one device, and of three.
 */
export type Value = number | string | boolean
export type Values = Readonly<Record<string, Value>>

/** The values as a scenario is given them: any of the kind that it has named one of. */
export type Given<P extends Values> = { readonly [K in keyof P]: P[K] extends number ? number : P[K] extends boolean ? boolean : string }

/** Those that are asked for, and for the rest those that are meant; or what is wrong with what is asked for. */
export function given(meant: Values, asked: Values): Values | string {
  for (const [name, value] of Object.entries(asked)) {
    const own = Object.hasOwn(meant, name) ? meant[name] : undefined
    if (own === undefined) {
      const names = Object.keys(meant)
      return `has no parameter '${name}'; ${names.length === 0 ? 'it takes none' : `it has ${names.join(', ')}`}`
    }
    if (typeof own !== typeof value) return `takes a ${typeof own} for '${name}' (it has ${own} if none is asked for), and got '${value}'`
  }
  return { ...meant, ...asked }
}

/** `devices 2, pages 1` */
export const inWords = (values: Values): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
