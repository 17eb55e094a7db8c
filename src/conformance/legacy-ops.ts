/**
 * What recorded ops do otherwise before Linux 5.8: `rfault` registers a range with `hmm_mirror`, calls once, and asks the
 * `valid` flag. Whatever else such recordings mean by another word stands here too.
 */
import type { HmmMirrorContext } from '../../machines/hmm-mirror.ts'
import type { NotifierRange } from '../kernel/agenda.ts'
import { hmmOf } from '../kernel/names.ts'
import type { Page } from '../memory/address.ts'
import { frameOf } from '../memory/entry.ts'
import type { Table } from '../memory/table.ts'
import type { GupFlags } from '../walker/gup.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import { HMM_PFN_SPECIAL } from '../walker/hmm-5-2.ts'
import type { ProcessNames } from './actors.ts'
import { pfnRuns, type FrameNumbers, type PfnWord } from './observe.ts'
import type { Op } from './ops.ts'
import type { Result } from './recording.ts'
import type { Session } from './session.ts'

/** Flags of GUP that are not there yet. */
export const legacyGupFlags = (flags: GupFlags): GupFlags => ({ ...flags, nofault: false, take: 'get' })

/** What an op answered, but for frames, which have no numbers yet; `oops`: where the kernel died instead. */
export interface LegacyAnswer {
  readonly result: (numbers: FrameNumbers) => Result
  readonly oops?: string
}

/** Register, wait until the range is valid, one call, and is it valid still? Then the range is gone again. */
export function legacyRangeFault(session: Session, op: Op & { readonly op: 'rfault' }, by: ProcessNames): LegacyAnswer {
  const { start, end, defaultFlags, pfnFlagsMask, requests, race, snapshot } = op
  const { mm, cpu, range: who } = by
  session.run(who, { start, end, defaultFlags, pfnFlagsMask, snapshot, owned: null, requests, attempts: 1 }, 'mmap_read_unlock')
  const died = session.told(who, 'oops')
  if (died !== undefined) return { result: () => ({}), oops: died.where }
  const walked = session.told(who, 'walked')
  if (walked === undefined) throw new Error('a range that has not walked')
  if (race) invalidated(session, { mm, cpu, start, end })
  const { ranges } = session.contextOf(hmmOf(mm)) as HmmMirrorContext
  const stale = ranges.some(r => r.who === who && r.valid) ? {} : { stale: true }
  session.let(who)
  const answer = walked.fail === null ? { ret: walked.ret } : { ret: -1, err: walked.fail }
  return { result: numbers => ({ ...answer, ...stale, pfns: legacyPfnRuns(walked.array, start, end, numbers) }) }
}

/**
 * Before v4.17: one call of `hmm_vma_get_pfns()` or `hmm_vma_fault()`, and of `hmm_vma_range_done()`, all with mmap_lock held.
 * Only a range that was got can be asked whether it is valid still.
 */
export function vmaRangeFault(session: Session, op: Op & { readonly op: 'rfault' }, by: ProcessNames): LegacyAnswer {
  const { start, end, defaultFlags, pfnFlagsMask, requests, race, snapshot } = op
  const { mm, cpu, range: who } = by
  session.run(who, { start, end, defaultFlags, pfnFlagsMask, snapshot, owned: null, requests, attempts: 1 }, 'driver_lock')
  const walked = session.told(who, 'walked')
  if (walked === undefined) throw new Error('a range that has not walked')
  if (walked.fail !== null)
    return { result: numbers => ({ ret: -1, err: walked.fail, pfns: legacyPfnRuns(walked.array, start, end, numbers) }) }
  if (race) invalidated(session, { mm, cpu, start, end })
  session.let(who)
  const [done, ended] = [session.told(who, 'range_done'), session.told(who, 'ended')]
  if (done === undefined || ended === undefined) throw new Error('a range that was not done with')
  const stale = done.valid ? {} : { stale: true }
  return { result: numbers => ({ ret: 0, ...stale, pfns: legacyPfnRuns(ended.array, start, end, numbers) }) }
}

/** A complete invalidation by somebody else. */
function invalidated(
  session: Session,
  { mm, cpu, start, end }: Pick<ProcessNames, 'mm' | 'cpu'> & { readonly start: Page; readonly end: Page },
): void {
  const range: NotifierRange = { mm, event: 'CLEAR', start, end, blockable: true, owner: null }
  session.run(cpu, { do: 'mmu_notifier_invalidate_range_start', range })
  session.run(cpu, { do: 'mmu_notifier_invalidate_range_end', range })
}

const legacyPfnRuns = (array: Table, start: Page, end: Page, numbers: FrameNumbers): readonly unknown[] =>
  pfnRuns(array, start, end, numbers, legacyWord)

/** Words have no order before 5.9, and a value of their own for pages that are special. */
function legacyWord(word: number): PfnWord {
  const letter = (bit: number, name: string): string => ((word & bit) === 0 ? '' : name)
  const flags = `${letter(HMM_PFN_VALID, 'V')}${letter(HMM_PFN_WRITE, 'W')}${letter(HMM_PFN_ERROR, 'E')}${letter(HMM_PFN_SPECIAL, 'S')}`
  return { flags, order: 0, frame: (word & HMM_PFN_VALID) === 0 ? null : frameOf(word) }
}
