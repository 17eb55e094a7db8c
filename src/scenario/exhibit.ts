/**
 * What makes a scenario an exhibit of the museum (scenarios/races): a bug that a real kernel or driver had. It is written for the
 * kernel without the bug: what it expects holds there in every order of events, and on the kernel with the bug in some order does not.
 */
import { BUGS, isBug, type BugName } from '../kernel/bugs.ts'
import { SWITCHES, type SwitchName } from '../kernel/switches.ts'
import { profileOf } from './standard.ts'

export interface Exhibit {
  /**
   * What it is about: a bug that is put into a kernel (bugs.ts), or a switch in which releases differ (switches.ts). What no release
   * has put right it tells itself, and shows in the first of its variants; the last is how it would be right.
   */
  readonly of: BugName | SwitchName | Subject
  /** A kernel that has it. */
  readonly wrong: string
  /** The same, or a later one, without it. */
  readonly right: string
}

export interface Subject {
  /** What is done wrong, in a sentence. */
  readonly says: string
  /** Where it is from. */
  readonly source: string
}

export const subjectOf = ({ of }: Exhibit): Subject => (typeof of === 'object' ? of : isBug(of) ? BUGS[of] : SWITCHES[of])

/** Why it does not show what it is said to show, if it does not. */
export function notShownBy({ of, wrong, right }: Exhibit, variants: readonly string[]): string | undefined {
  const [a, b] = [profileOf(wrong), profileOf(right)]
  if (typeof of === 'object') return variants.length > 1 ? undefined : 'it has no variant that is right; it takes two, the wrong one first'
  if (!isBug(of)) return a[of] === b[of] ? `${wrong} and ${right} do not differ in ${of}` : undefined
  if (!a.bugs.includes(of)) return `${wrong} does not have the bug ${of}: name it '${wrong},+${of}'`
  return b.bugs.length > 0 ? `${right} is to be without the bug, and has ${b.bugs.join(', ')}` : undefined
}
