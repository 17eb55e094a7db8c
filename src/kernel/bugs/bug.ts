/** What a bug is: something that a kernel or a driver did wrong once, and that can be put into a kernel again. */
import type { Profile } from '../profiles/profile.ts'

export interface Bug {
  /** Where it was, and what ended it: commit, patch or report. */
  readonly source: string
  /** What is done wrong, in a sentence. */
  readonly says: string
  /** Why a kernel cannot have it, if it cannot: it lacks what the bug is in. */
  readonly lacks?: (kernel: Profile) => string | undefined
}
