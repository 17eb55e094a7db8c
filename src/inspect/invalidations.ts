/** Invalidations that cover a page: what each told whom, and what it took, step by step. */
import type { Key } from '../log/keys.ts'
import { page } from '../memory/address.ts'
import { isEmpty, smallEntryAt } from '../memory/pagetable.ts'
import { calleeOf, rangeOf } from './folded-step.ts'
import { found } from './last-change.ts'
import type { LinuxWorld } from './linux.ts'
import { differs, pathOf } from './path.ts'
import type { Run } from './recording.ts'

/** An invalidation that covers the page: the steps of it. */
export interface Invalidation {
  readonly by: string
  readonly event: string
  readonly start: number
  readonly end?: number
  /** When the device was told. */
  readonly told?: number
  /** When the CPU's entry changed. */
  readonly taken?: number
  /** Was it taken away, with nothing left? */
  readonly gone?: boolean
}

/** What the CPU's page table has for a page, as an entry of its own. */
export const cpuEntry = ({ memory }: LinuxWorld, mm: string, p: number): number => {
  const of = memory.mms[mm]
  return of === undefined ? 0 : smallEntryAt(of, page(p))
}

/** Invalidations of the page that end, or have not ended, after step `from`, and begin up to `last`. */
export function invalidationsOf(
  run: Run,
  mm: string,
  p: number,
  device: string,
  from: number,
  last: number,
  n: number,
): readonly Invalidation[] {
  const keys: readonly Key[] = [{ in: 'mms', name: mm, column: 'invalidated', from: p, end: p + 1 }]
  const covers = (at: number): boolean => {
    const record = run.record(at)
    if (!record.do.endsWith('invalidate_range_start')) return false
    const range = rangeOf(run.system, run.world(at - 1), run.world(at), record)
    return range !== undefined && range.mm === mm && range.start <= p && p < range.end
  }
  const before = found(run, from, true, keys, covers)
  const list: Invalidation[] = []
  if (before !== undefined) {
    const last = invalidationAt(run, mm, p, device, before, n)
    if (last.end === undefined || last.end > from) list.push(last)
  }
  for (
    let at = found(run, from + 1, false, keys, covers);
    at !== undefined && at <= last && list.length < MOST;
    at = found(run, at + 1, false, keys, covers)
  )
    list.push(invalidationAt(run, mm, p, device, at, n))
  return list
}
/** Later ones say no more. */
export const MOST = 8

/** The steps of an invalidation, from its first on: its actor's, up to the one that ends as many as have begun. */
function invalidationAt(run: Run, mm: string, p: number, device: string, start: number, n: number): Invalidation {
  const first = run.record(start)
  const event = rangeOf(run.system, run.world(start - 1), run.world(start), first)?.event ?? ''
  const entry = pathOf(run.system, `${mm}:${p}`)
  let [depth, told, taken] = [1, undefined as number | undefined, undefined as number | undefined]
  const found = (end?: number): Invalidation => ({
    by: first.by,
    event,
    start,
    ...(end === undefined ? {} : { end }),
    ...(told === undefined ? {} : { told }),
    ...(taken === undefined ? {} : { taken, gone: isEmpty(cpuEntry(run.world(taken), mm, p)) }),
  })
  for (const at of run.candidates(start + 1, false, [{ in: 'by', name: first.by }])) {
    if (at > n) break
    const record = run.record(at)
    if (record.by !== first.by) continue
    if (record.do.endsWith('invalidate_range_start')) depth++
    if (/^(invalidate|sync_cpu_device_pagetables)$/.test(record.do) && calleeOf(run.system, run.world(at - 1), record) === device)
      told ??= at
    if (differs(entry, run.world(at - 1), run.world(at))) taken ??= at
    if ((record.do.endsWith('invalidate_range_end') || record.do === 'mn_itree_inv_end') && --depth === 0) return found(at)
  }
  return found()
}
