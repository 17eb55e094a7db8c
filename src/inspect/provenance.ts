/**
 * Where a value came from: which step last changed it (`lastChange`), and of a page (`why`): who wrote the CPU's entry, which
 * device entries were derived from it and under which sequence, and which invalidations should have ended them.
 */
import { hmmOf } from '../kernel/names.ts'
import type { Key } from '../log/keys.ts'
import { page } from '../memory/address.ts'
import { frameOf, isPresent } from '../memory/entry.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import { Table } from '../memory/table.ts'
import { devicesOf } from '../oracles/oracle.ts'
import { calleeOf, contextOf, rangeOf } from './folded-step.ts'
import { differs, pathOf, type Path } from './path.ts'
import { cameTo, type Run } from './recording.ts'

/** The last step up to `n` that changed what a path leads to; undefined: it is as it was at the beginning. */
export const lastChange = (run: Run, path: Path, n: number): number | undefined => changeFrom(run, path, n, true)
/** The next step from `n` on that changes it. */
export const nextChange = (run: Run, path: Path, n: number): number | undefined => changeFrom(run, path, n, false)

const changeFrom = (run: Run, path: Path, n: number, back: boolean): number | undefined =>
  found(run, n, back, path.keys, at => differs(path, run.world(at - 1), cameTo(run, at)))

function found(run: Run, n: number, back: boolean, keys: readonly Key[], is: (n: number) => boolean): number | undefined {
  if (n > run.last || (back && n <= run.first)) return undefined
  for (const at of run.candidates(Math.max(n, run.first + 1), back, keys)) {
    if (at <= run.first || at > run.last) return undefined
    if (is(at)) return at
  }
  return undefined
}

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
}

/** One step comes before another, and why. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly why: string
}

/** A device's entry for the page. */
export interface Derived {
  readonly device: string
  /** What it maps; 0 if nothing (any more). */
  readonly word: number
  readonly agrees: boolean
  /** When the entry was made; when the range that made it walked the CPU's table, began, and last asked whether it was invalidated. */
  readonly committed?: number
  readonly by?: string
  readonly walked?: number
  readonly begun?: number
  readonly checked?: number
  /** The sequence that it began with, where there are sequences. */
  readonly seq?: number
  /** The step that took the entry away, if it is gone. */
  readonly dropped?: number
  readonly invalidations: readonly Invalidation[]
  readonly edges: readonly Edge[]
}

export interface Why {
  readonly mm: string
  readonly page: number
  readonly n: number
  /** When the CPU's entry became what it is, and what else changed it since a device looked. */
  readonly written?: number
  readonly derived: readonly Derived[]
}

export function why(run: Run, mm: string, p: number, n: number): Why {
  const entry = pathOf(run.system, `${mm}:${p}`)
  const written = lastChange(run, entry, n)
  const names = run.system.actors.map(a => a.name)
  const derived = devicesOf({ names, world: run.world(n) })
    .filter(d => d.mm === mm)
    .flatMap(d => derivedOf(run, mm, p, n, d.name, d.table.get(p)) ?? [])
  return { mm, page: p, n, ...(written === undefined ? {} : { written }), derived }
}

const BEGINS = ['mmu_interval_read_begin', 'hmm_range_register', 'hmm_vma_range']
const CHECKS = ['mmu_interval_read_retry', 'hmm_range_valid', 'hmm_vma_range_done', 'dmirror_do_fault']
const doing = (whats: readonly string[]): readonly Key[] => whats.map(name => ({ in: 'do', name }))

function derivedOf(run: Run, mm: string, p: number, n: number, device: string, word: number): Derived | undefined {
  const table = pathOf(run.system, `${device}.table.${p}`)
  const changed = lastChange(run, table, n)
  if (changed === undefined) return undefined
  const dropped = word === 0 ? changed : undefined
  const committed = dropped === undefined ? changed : lastChange(run, table, changed - 1)
  if (committed === undefined) return undefined
  const { by } = run.record(committed)
  const bySame = (whats: readonly string[], from: number): number | undefined =>
    found(run, from, true, doing(whats), at => run.record(at).by === by && whats.includes(run.record(at).do))
  const walked = walkOf(run, by, p, committed)
  const begun = bySame(BEGINS, walked ?? committed)
  const checked = bySame(CHECKS, committed)
  const seq = contextOf(run.system, run.world(committed), by)['seq']
  const invalidations = invalidationsOf(run, mm, p, device, walked ?? committed, dropped ?? n, n)
  const cpu = run.world(n).memory.mms[mm]
  const entry = cpu === undefined ? 0 : smallEntryAt(cpu, page(p))
  return {
    device,
    word,
    agrees: word === 0 || (isPresent(entry) && frameOf(entry) === frameOf(word)),
    committed,
    by,
    ...(walked === undefined ? {} : { walked }),
    ...(begun === undefined ? {} : { begun }),
    ...(checked === undefined || checked < (walked ?? 0) ? {} : { checked }),
    ...(typeof seq === 'number' && seq > 0 ? { seq } : {}),
    ...(dropped === undefined ? {} : { dropped }),
    invalidations,
    edges: edgesOf(run, mm, p, { committed, walked, begun, checked, dropped, invalidations }),
  }
}

/** The step at which a walk gave the actor what it has for the page. */
function walkOf(run: Run, by: string, p: number, committed: number): number | undefined {
  const { array } = contextOf(run.system, run.world(committed - 1), by)
  return array instanceof Table ? lastChange(run, pathOf(run.system, `${by}.array.${p}`), committed - 1) : undefined
}

/** Invalidations of the page that end, or have not ended, after step `from`, and begin up to `last`. */
function invalidationsOf(run: Run, mm: string, p: number, device: string, from: number, last: number, n: number): readonly Invalidation[] {
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
const MOST = 8

/** The steps of an invalidation, from its first on: its actor's, up to the one that ends as many as have begun. */
function invalidationAt(run: Run, mm: string, p: number, device: string, start: number, n: number): Invalidation {
  const first = run.record(start)
  const event = rangeOf(run.system, run.world(start - 1), run.world(start), first)?.event ?? ''
  const entry = pathOf(run.system, `${mm}:${p}`)
  let [depth, told, taken] = [1, undefined as number | undefined, undefined as number | undefined]
  for (const at of run.candidates(start + 1, false, [{ in: 'by', name: first.by }])) {
    if (at > n) break
    const record = run.record(at)
    if (record.by !== first.by) continue
    if (record.do.endsWith('invalidate_range_start')) depth++
    if (/^(invalidate|sync_cpu_device_pagetables)$/.test(record.do) && calleeOf(run.system, run.world(at - 1), record) === device)
      told ??= at
    if (differs(entry, run.world(at - 1), run.world(at))) taken ??= at
    if ((record.do.endsWith('invalidate_range_end') || record.do === 'mn_itree_inv_end') && --depth === 0)
      return { by: first.by, event, start, end: at, ...(told === undefined ? {} : { told }), ...(taken === undefined ? {} : { taken }) }
  }
  return { by: first.by, event, start, ...(told === undefined ? {} : { told }), ...(taken === undefined ? {} : { taken }) }
}

interface Steps {
  readonly committed: number
  readonly walked: number | undefined
  readonly begun: number | undefined
  readonly checked: number | undefined
  readonly dropped: number | undefined
  readonly invalidations: readonly Invalidation[]
}

/** What comes before what, in ascending order. */
function edgesOf(run: Run, mm: string, p: number, { committed, walked, begun, checked, dropped, invalidations }: Steps): readonly Edge[] {
  const edges: Edge[] = []
  const edge = (from: number | undefined, to: number | undefined, reason: string): void => {
    if (from !== undefined && to !== undefined && from < to) edges.push({ from, to, why: reason })
  }
  const entry = pathOf(run.system, `${mm}:${p}`)
  edge(walked === undefined ? undefined : lastChange(run, entry, walked), walked, 'the walk reads the entry')
  edge(begun, walked, 'begun before the walk')
  edge(walked, committed, 'what the walk found is mapped')
  for (const { start, end, told, taken } of invalidations) {
    edge(start, told, 'the device is told')
    edge(walked, taken, 'read before it was taken away')
    edge(told, taken, 'told before it is taken away')
    edge(taken, end, 'taken away before the invalidation is over')
    if (told !== undefined && told < committed) edge(told, committed, 'told before the entry was made: nothing ends it')
    if (told !== undefined && told > committed)
      edge(committed, told, told === dropped ? 'told, and the entry is dropped' : 'told after the entry was made')
    for (const at of flags(run, mm, start, checked)) edge(at.n, checked, at.why)
  }
  edge(checked, committed, 'asked before the entry was made')
  return edges.toSorted((a, b) => a.from - b.from || a.to - b.to)
}

/** Changes of validity flags, between the beginning of an invalidation and the check, that the check cannot tell from none. */
function flags(run: Run, mm: string, from: number, checked: number | undefined): readonly { readonly n: number; readonly why: string }[] {
  if (checked === undefined || !run.system.index.has(hmmOf(mm))) return []
  const ranges = pathOf(run.system, `${hmmOf(mm)}.ranges`)
  const changes: { n: number; why: string }[] = []
  for (
    let at = nextChange(run, ranges, from);
    at !== undefined && at < checked && changes.length < MOST;
    at = nextChange(run, ranges, at + 1)
  )
    changes.push({
      n: at,
      why: ranges.show(run.world(at)).includes('"valid":false') ? 'the valid flag is cleared' : 'the valid flag is set again',
    })
  return changes
}

/** Findings in words: what is wrong with a derived entry, if anything. */
export function verdictOf({ page: p }: Pick<Why, 'page'>, d: Derived): string {
  if (d.dropped !== undefined) return `${d.device} maps nothing there: step ${d.dropped} took the entry away`
  if (d.agrees) return `${d.device} maps what the CPU maps`
  const missed = d.invalidations.find(i => i.told !== undefined && i.told < (d.committed ?? 0) && (d.walked ?? 0) < i.told)
  if (missed !== undefined) {
    const check = d.checked === undefined ? 'nobody asked again' : `step ${d.checked} asked, and saw nothing of it`
    return `${d.device} keeps a stale entry: it walked at ${d.walked}, ${missed.by} invalidated page ${p} at ${missed.start}–${missed.end ?? '…'}, ${check}, and it mapped at ${d.committed} what it had found`
  }
  const silent = d.invalidations.every(i => i.told === undefined)
  return silent
    ? `${d.device} keeps a stale entry: nobody told it of page ${p} since it walked at ${d.walked ?? d.committed}`
    : `${d.device} keeps a stale entry, though it was told after it mapped it`
}
