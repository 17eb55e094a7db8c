/** Answers in a few words: of long lists, how they begin and how many there are. */

const SHOWN = 8

export const inBrief = (value: unknown): string =>
  Array.isArray(value)
    ? value.length <= SHOWN
      ? `[${value.map(inBrief).join(', ')}]`
      : `[${value
          .slice(0, SHOWN - 1)
          .map(inBrief)
          .join(', ')}, … ${value.length} in all]`
    : typeof value === 'object' && value !== null
      ? `{${Object.entries(value)
          .map(([key, of]) => `${key}: ${inBrief(of)}`)
          .join(', ')}}`
      : JSON.stringify(value)

/** Where two lists first differ, if they are lists; else the value itself. */
export function difference(wanted: unknown, got: unknown): string {
  if (!Array.isArray(wanted) || !Array.isArray(got) || wanted.length <= SHOWN) return inBrief(got)
  const at = wanted.findIndex((value, i) => value !== got[i])
  return at < 0 ? `${got.length} of ${wanted.length} values` : `${inBrief(got[at])} instead of ${inBrief(wanted[at])} as number ${at + 1}`
}
