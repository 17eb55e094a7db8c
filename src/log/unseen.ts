/**
 * Characters that are not seen, but do something: control characters, those that change the direction of text, end a line or
 * join what stands beside them, and those that nobody has given a meaning. Variants of characters that are seen are none.
 */

const UNSEEN = /(?!\n|\p{Variation_Selector})[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu
const NOT_PLAIN = /[^\n -~]/
const NEWLINES = /\n/g

/** A text with something in place of each such character; newlines stay. */
export const shown = (text: string, instead: (char: string) => string): string =>
  NOT_PLAIN.test(text) ? text.replaceAll(UNSEEN, char => instead(char)) : text

/** As JSON and JavaScript write it. */
export const escaped = (char: string): string =>
  char
    .split('')
    .map(unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('')

/** A text that stays on its line, and does nothing there. */
export const inLine = (text: string): string => shown(text, escaped).replaceAll(NEWLINES, '\\n')
