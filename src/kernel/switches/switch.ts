/** What a switch is, and how it is declared. */

/** What a switch is set to: whether, which or how many. */
export type Setting = boolean | string | number

export interface Switch<V extends Setting> {
  /** What it may be set to, the oldest way first. */
  readonly values: readonly V[]
  /** The release since when it is so (unless it says until when), the commit, the function. */
  readonly source: string
  readonly says: string
}

/** Something that a kernel does or does not. */
export const flag = (source: string, says: string): Switch<boolean> => ({ values: [false, true], source, says })
/** One of several ways. */
export const oneOf = <const V extends string | number>(values: readonly V[], source: string, says: string): Switch<V> => ({
  values,
  source,
  says,
})
