/** What a kernel profile is: a value for each switch (switches.ts), and a name. */
import type { Switches } from '../switches.ts'

export interface Profile extends Switches {
  readonly name: string
  /** The kernel that it is checked against. */
  readonly about: string
}
