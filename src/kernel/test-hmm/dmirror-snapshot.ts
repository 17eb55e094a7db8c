/** `HMM_DMIRROR_SNAPSHOT` (lib/test_hmm.c): what a device could do with each page, asked without faulting anything in. */
import { frameOf } from '../../memory/entry.ts'
import { frameKind } from '../../memory/frames.ts'
import { ZERO_PFN, type Memory } from '../../memory/memory.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE, mapOrder, type HmmRange } from '../../walker/hmm.ts'
import { readLocked, type Item, type Rules } from '../agenda.ts'
import { batchEnd, ownedBy, readBegin } from './dmirror.ts'
import { ownerOf } from '../pages/migrated.ts'
import { snapshotOf } from '../names.ts'
import { call } from '../offer.ts'

/** `dmirror_mkentry()`: the driver's code for a page, as its header has it. */
function codeOf(memory: Memory, device: string, word: number): number {
  if ((word & HMM_PFN_ERROR) !== 0) return 255
  if ((word & HMM_PFN_VALID) === 0) return 0
  const frame = frameOf(word)
  const kind = frameKind(memory.frames, frame)
  const elsewhere = ownerOf(memory, frame) === device ? 0 : 16
  const what = kind === 'devpriv' ? 32 + elsewhere : kind === 'devcoh' ? 64 + elsewhere : frame === ZERO_PFN ? 16 : 0
  const size = mapOrder(word) === 9 ? 4 : mapOrder(word) === 18 ? 8 : 0
  return what | ((word & HMM_PFN_WRITE) === 0 ? 1 : 2) | size
}

const again = ({ who, mm, device, start, end }: Item<'dmirror_mkentry'>): Item => ({
  do: 'dmirror_range_snapshot',
  who,
  mm,
  device,
  start,
  end,
})

export const dmirrorSnapshotRules = {
  dmirror_snapshot: (_, { who, mm, device, start, end }) => ({
    out: { cpages: 0, faults: 0 },
    then: [{ do: 'dmirror_snapshot_batch', who, mm, device, at: start, end }],
  }),
  // Each batch under a notifier of its own, which is there only so long.
  dmirror_snapshot_batch: (_, { do: _do, ...item }) => {
    const { who, mm, device, at, end } = item
    if (at >= end) return {}
    const stop = batchEnd(at, end)
    return {
      then: [
        { do: 'mmu_interval_notifier_insert', mm, who: snapshotOf(who), start: at, end: stop },
        { do: 'dmirror_range_snapshot', who, mm, device, start: at, end: stop },
        { do: 'dmirror_snapshot_remove', who, mm, device },
        { do: 'dmirror_snapshot_batch', ...item, at: stop },
      ],
    }
  },
  dmirror_range_snapshot: (memory, { do: _do, ...item }) => {
    const { who, mm, device, start, end } = item
    const range: HmmRange = { start, end, defaultFlags: 0, pfnFlagsMask: 0, owned: ownedBy(memory, device) }
    return readBegin(snapshotOf(who), mm, seq => [
      ...readLocked(mm, [{ do: 'hmm_range_fault', mm, range, last: start, stale: call(snapshotOf(who), 'check_retry', { seq }) }]),
      { do: 'dmirror_mkentry', ...item },
      { do: 'if_busy', then: [{ do: 'dmirror_range_snapshot', ...item }] },
    ])
  },
  dmirror_mkentry: (memory, item, { array, out }) => {
    const { who, device, start, end } = item
    return {
      calls: [call(who, 'mutex_lock'), call(snapshotOf(who), 'read_retry'), call(who, 'mutex_unlock')],
      replied: ([, stale]) =>
        stale === true
          ? { then: [again(item)] }
          : {
              array: array.update(start, end - start, (word, _p) => codeOf(memory, device, word)),
              out: { cpages: (out['cpages'] ?? 0) + (end - start) },
            },
    }
  },
  dmirror_snapshot_remove: (_, { who, mm }) => ({ then: [{ do: 'mmu_interval_notifier_remove', mm, who: snapshotOf(who) }] }),
} satisfies Partial<Rules>
