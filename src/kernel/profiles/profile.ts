/** What a kernel profile is: a value for each switch (switches.ts), and a name. */
import type { BugName } from '../bugs.ts'
import type { Switches } from '../switches.ts'

export interface Profile extends Switches {
  readonly name: string
  /** The kernel that it is checked against. */
  readonly about: string
  /** Bugs that were put into it (bugs.ts). */
  readonly bugs: readonly BugName[]
}
