/** Characters that are not seen, but do something: control characters, and those that change the direction of text. */

const ASCII_END = 0x7f
/** Beyond ASCII: C1, marks and overrides of direction, line separators, what joins, the byte order mark. */
const RANGES: readonly (readonly [from: number, to: number])[] = [
  [0x7f, 0x9f],
  [0x61c, 0x61c],
  [0x200b, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x2069],
  [0xfeff, 0xfeff],
]

const NEWLINE = 0x0a

const isUnseen = (code: number): boolean =>
  code < ASCII_END ? code < 0x20 && code !== NEWLINE : RANGES.some(([from, to]) => code >= from && code <= to)

/** A text with something in place of each such character; newlines stay. `at`: where it stands. */
export const shown = (text: string, instead: (char: string, at: number) => string): string =>
  text.replaceAll(/[^\n -~]/g, (char, at: number) => (isUnseen(char.charCodeAt(0)) ? instead(char, at) : char))

/** As JSON and JavaScript write it. */
export const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
