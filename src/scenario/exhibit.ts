/**
 * What makes a scenario an exhibit of the museum (scenarios/races): a bug that a real kernel or driver had. It is written for the
 * kernel without the bug: what it expects holds there in every order of events, and on the kernel with the bug in some order does not.
 */
import { BUGS, isBug, type BugName } from '../kernel/bugs.ts'
import { SWITCHES, type SwitchName } from '../kernel/switches.ts'
import { profileOf } from './standard.ts'

export interface Exhibit {
  /** What it is about: a bug that is put into a kernel (bugs.ts), or a switch in which releases differ (switches.ts). */
  readonly of: BugName | SwitchName
  /** A kernel that has it. */
  readonly wrong: string
  /** The same, or a later one, without it. */
  readonly right: string
}

/** What the bug is, in a sentence, and where that is from. */
export const subjectOf = ({ of }: Exhibit): { readonly says: string; readonly source: string } => (isBug(of) ? BUGS[of] : SWITCHES[of])

/** Why the two kernels do not show what they are said to show, if they do not. */
export function notShownBy({ of, wrong, right }: Exhibit): string | undefined {
  const [a, b] = [profileOf(wrong), profileOf(right)]
  if (!isBug(of)) return a[of] === b[of] ? `${wrong} and ${right} do not differ in ${of}` : undefined
  if (!a.bugs.includes(of)) return `${wrong} does not have the bug ${of}: name it '${wrong},+${of}'`
  return b.bugs.length > 0 ? `${right} is to be without the bug, and has ${b.bugs.join(', ')}` : undefined
}
