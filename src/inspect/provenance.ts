/**
 * Where what is mapped at a page came from (`why`): who wrote the CPU's entry, which device entries were derived from it and
 * under which sequence, and which invalidations should have ended them.
 */
import { hmmOf } from '../kernel/names.ts'
import type { Key } from '../log/keys.ts'
import { isMigration } from '../memory/entry.ts'
import { isEmpty } from '../memory/pagetable.ts'
import { Table } from '../memory/table.ts'
import { wrongWith, type Wrong } from '../oracles/device-entry.ts'
import { devicesOf, isLent } from '../oracles/oracle.ts'
import { agendaOf, contextOf } from './folded-step.ts'
import { cpuEntry, invalidationsOf, MOST, type Invalidation } from './invalidations.ts'
import { found, lastChange, nextChange } from './last-change.ts'
import type { LinuxWorld } from './linux.ts'
import { pathOf } from './path.ts'
import type { Run } from './recording.ts'

/** One step comes before another, and why. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly why: string
}

/** How a device's entry stands to the CPU's: nothing maps there (any more), or the page is on its way, or lent, or mapped by both. */
export type Standing = 'gone' | 'on its way' | 'lent' | 'the same' | Wrong

/** A device's entry for the page. */
export interface Derived {
  readonly device: string
  /** What it maps; 0 if nothing (any more). */
  readonly word: number
  /** Is there nothing wrong with it, next to the CPU's? */
  readonly agrees: boolean
  readonly standing: Standing
  /** The step that the log begins behind, if the entry was there already: who made it is not known. */
  readonly since?: number
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
  /** When the CPU's entry became what it is. */
  readonly written?: number
  /** The step that the log begins behind, if it was so there: who wrote it, if anybody, is not known. */
  readonly since?: number
  readonly derived: readonly Derived[]
}

export function why(run: Run, mm: string, p: number, n: number): Why {
  const entry = pathOf(run.system, `${mm}:${p}`)
  const written = lastChange(run, entry, n)
  const names = run.system.actors.map(a => a.name)
  const derived = devicesOf({ names, world: run.world(n) })
    .filter(d => d.mm === mm)
    .flatMap(d => derivedOf(run, mm, p, n, d.name, d.table.get(p)) ?? [])
  // A run that begins at its beginning begins with nothing.
  const since = written === undefined && (run.first > 0 || !isEmpty(cpuEntry(run.world(n), mm, p))) ? { since: run.first } : {}
  return { mm, page: p, n, ...(written === undefined ? since : { written }), derived }
}

const BEGINS = ['mmu_interval_read_begin', 'hmm_range_register', 'hmm_vma_range']
const CHECKS = ['mmu_interval_read_retry', 'hmm_range_valid', 'hmm_vma_range_done', 'dmirror_do_fault']
const doing = (whats: readonly string[]): readonly Key[] => whats.map(name => ({ in: 'do', name }))

function derivedOf(run: Run, mm: string, p: number, n: number, device: string, word: number): Derived | undefined {
  const table = pathOf(run.system, `${device}.table.${p}`)
  const changed = lastChange(run, table, n)
  // What is there and was never made was there when the log began.
  if (changed === undefined && word === 0) return undefined
  const dropped = word === 0 ? changed : undefined
  const committed = dropped === undefined ? changed : lastChange(run, table, dropped - 1)
  const { by, walked, begun, checked, seq } = committed === undefined ? nobody : makingOf(run, p, committed)
  const from = walked ?? committed
  const invalidations = invalidationsOf(run, mm, p, device, from ?? run.first, dropped ?? n, n)
  const standing = standingOf(word, cpuEntry(run.world(n), mm, p))
  return {
    device,
    word,
    agrees: standing !== 'stale' && standing !== 'writes too much',
    standing,
    ...(committed === undefined ? { since: run.first } : { committed }),
    ...(by === undefined ? {} : { by }),
    ...(walked === undefined ? {} : { walked }),
    ...(begun === undefined ? {} : { begun }),
    ...(checked === undefined ? {} : { checked }),
    ...(seq === undefined ? {} : { seq }),
    ...(dropped === undefined ? {} : { dropped }),
    invalidations,
    edges: edgesOf(run, mm, p, { committed, walked, begun, checked, dropped, invalidations }),
  }
}

function standingOf(word: number, entry: number): Standing {
  if (word === 0) return 'gone'
  return wrongWith(word, entry) ?? (isMigration(entry) ? 'on its way' : isLent(entry) ? 'lent' : 'the same')
}

interface Making {
  readonly by: string | undefined
  readonly walked: number | undefined
  readonly begun: number | undefined
  readonly checked: number | undefined
  readonly seq: number | undefined
}
const nobody: Making = { by: undefined, walked: undefined, begun: undefined, checked: undefined, seq: undefined }

/** What led to the step that made an entry. */
function makingOf(run: Run, p: number, committed: number): Making {
  const { by } = run.record(committed)
  const walked = walkOf(run, by, p, committed)
  const begun = found(run, walked ?? committed, true, doing(BEGINS), isOf(run, by, BEGINS))
  const checked = found(run, committed, true, doing(CHECKS), isOf(run, by, CHECKS))
  const seq = contextOf(run.system, run.world(committed), by)['seq']
  return {
    by,
    walked,
    begun,
    checked: checked === undefined || checked < (walked ?? 0) ? undefined : checked,
    seq: typeof seq === 'number' && seq > 0 ? seq : undefined,
  }
}

const isOf =
  (run: Run, by: string, whats: readonly string[]) =>
  (at: number): boolean =>
    run.record(at).by === by && whats.includes(run.record(at).do)

/** The step at which a walk gave the actor what it has for the page: the last one that came by, though what it found was there already. */
function walkOf(run: Run, by: string, p: number, committed: number): number | undefined {
  const { array } = contextOf(run.system, run.world(committed - 1), by)
  if (!(array instanceof Table)) return undefined
  const changed = lastChange(run, pathOf(run.system, `${by}.array.${p}`), committed - 1)
  const again = found(
    run,
    committed - 1,
    true,
    doing(WALKS),
    at => at <= (changed ?? run.first) || (isOf(run, by, WALKS)(at) && cameBy(run, by, p, at)),
  )
  return changed === undefined || (again !== undefined && again > changed) ? again : changed
}
const WALKS = ['walk_page_range', 'hmm_walk_area', 'hmm_vma_walk_range']

/** Did this step of a walk look at the page? It goes from where it was to where it goes on, or to the end. */
function cameBy(run: Run, by: string, p: number, at: number): boolean {
  const cursorIn = (world: LinuxWorld): number | undefined => {
    const item = agendaOf(contextOf(run.system, world, by)).find(({ do: what }) => WALKS.includes(String(what)))
    const cursor = item?.['at'] ?? item?.['last']
    return typeof cursor === 'number' ? cursor : undefined
  }
  const [from, to] = [cursorIn(run.world(at - 1)), cursorIn(run.world(at))]
  return from !== undefined && from <= p && (to === undefined || to <= from || p < to)
}

interface Steps {
  readonly committed: number | undefined
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
  for (const { start, end, told, taken, gone } of invalidations) {
    const away = gone === true ? 'taken away' : 'changed'
    edge(start, told, 'the device is told')
    edge(walked, taken, `read before it was ${away}`)
    edge(told, taken, `told before it is ${away}`)
    edge(taken, end, `${away} before the invalidation is over`)
    if (told !== undefined && committed !== undefined && told < committed)
      edge(told, committed, 'told before the entry was made: nothing ends it')
    if (told !== undefined && committed !== undefined && told > committed)
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
