/** The state around a cursor, drawn for people: tables side by side, areas, notifiers, locks, agendas. */
import { page, pageAt, PMD_PAGES, type Page } from '../memory/address.ts'
import { frameOf, isPresent } from '../memory/entry.ts'
import type { Mm } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../memory/vma.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import { devicesOf, type DeviceView } from '../oracles/oracle.ts'
import { pages } from './describe.ts'
import { entryInWords, mappedInWords } from './entries.ts'
import { agendaOf, contextOf, describeStep, isRange, statementInWords } from './folded-step.ts'
import { phraseFor } from './phrases.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import type { Run } from './recording.ts'
import { holdersOf, possibleIn } from './waiting.ts'

/** Rows of page tables that are drawn. */
const ROWS = 24

/** The step that a cursor stands on, in one line. */
export function stepLine(run: Run, n: number): string {
  if (n === run.first) return `step ${n} of ${run.last}: the beginning`
  const record = run.record(n)
  const cause = record.cause === n - 1 || record.cause === 0 ? '' : `, after ${record.cause}`
  return `step ${n} of ${run.last} · ${record.by}: ${describeStep(run, n).text} (${record.do}${cause})`
}

/** Everything, in paragraphs. */
export function drawState(run: Run, n: number): readonly string[] {
  const { system } = run
  const world = run.world(n)
  return [
    stepLine(run, n),
    ...Object.keys(world.memory.mms).flatMap(mm => ['', ...drawTables(system, world, mm), ...drawAreas(world, mm)]),
    '',
    ...drawNotifiers(system, world),
    '',
    ...drawLocks(system, world),
    '',
    ...drawAgendas(run, world),
  ]
}

/** The page tables of the CPU and of each device that mirrors the address space, page by page, equal neighbours drawn together. */
export function drawTables(system: LinuxSystem, world: LinuxWorld, mm: string): readonly string[] {
  const of = world.memory.mms[mm]
  if (of === undefined) return []
  const devices = devicesOf({ names: system.actors.map(a => a.name), world }).filter(d => d.mm === mm)
  const rows = segments(of, devices).map(([start, end]) => {
    const cpu = smallEntryAt(of, start)
    const stale = (d: DeviceView): string => {
      const word = d.table.get(start)
      return word !== 0 && !(isPresent(cpu) && frameOf(cpu) === frameOf(word)) ? '  ← not what the CPU maps' : ''
    }
    const span = end - start
    return [
      pages(start, end),
      `${mappedInWords(world.memory, mm, start)}${span > 1 && isPresent(cpu) ? ' …' : ''}`,
      ...devices.map(d => `${entryInWords(d.table.get(start), true)}${stale(d)}`),
    ]
  })
  if (rows.length === 0) return [`page tables of ${mm}: empty`]
  const shown = rows.slice(0, ROWS)
  const more = rows.length > ROWS ? [`  … ${rows.length - ROWS} more rows`] : []
  return [`page tables of ${mm}`, ...aligned([['page', 'CPU', ...devices.map(d => d.name)], ...shown]), ...more]
}

/** Runs that are looked at in one table. */
const RUNS = 256

/** Spans of pages in which every column goes on evenly; those in which nothing is mapped are left out. */
function segments(of: Mm, devices: readonly DeviceView[]): readonly (readonly [start: Page, end: Page])[] {
  const spans: (readonly [number, number])[] = []
  const take = (table: Table, first: (index: number) => number, size: number): void => {
    let left = RUNS
    for (const [index, count, value] of table.runs()) {
      if (left-- === 0) return
      if (size > 1 && !isPresent(value)) continue
      spans.push([first(index), first(index) + count * size])
    }
  }
  take(of.pte, index => index, 1)
  take(of.pmd, index => pageAt('pmd', index), PMD_PAGES)
  for (const device of devices) take(device.table, index => index, 1)
  const edges = [...new Set(spans.flat())].toSorted((a, b) => a - b)
  return edges.flatMap((start, i) => {
    const end = edges[i + 1]
    return end !== undefined && spans.some(([from, to]) => from <= start && start < to) ? [[page(start), page(end)] as const] : []
  })
}

const rights = (flags: number): string =>
  `${(flags & VM_READ) === 0 ? '-' : 'r'}${(flags & VM_WRITE) === 0 ? '-' : 'w'}${(flags & VM_EXEC) === 0 ? '-' : 'x'}${(flags & VM_SHARED) === 0 ? 'p' : 's'}`

export function drawAreas(world: LinuxWorld, mm: string): readonly string[] {
  const vmas = world.memory.mms[mm]?.vmas ?? []
  const rows = vmas
    .slice(0, ROWS)
    .map(v => `  ${pages(v.start, v.end)} ${rights(v.flags)} ${v.file === '' ? 'anonymous' : `${v.file} from ${v.pgoff}`}`)
  return [`areas of ${mm}${vmas.length === 0 ? ': none' : ''}`, ...rows, ...(vmas.length > ROWS ? [`  … ${vmas.length - ROWS} more`] : [])]
}

type Fields = Readonly<Record<string, unknown>>
interface Spanned {
  readonly who: string
  readonly start: number
  readonly end: number
  readonly valid?: boolean
}
const listOf = (x: unknown): readonly Spanned[] => (Array.isArray(x) ? (x as readonly Spanned[]) : [])

/** Registries, lists of mirrors, and whoever keeps a sequence. */
export function drawNotifiers(system: LinuxSystem, world: LinuxWorld): readonly string[] {
  const rows = system.actors.flatMap(({ name }, i) => {
    const context = (world.actors[i]?.context ?? {}) as Fields
    const state = world.actors[i]?.value ?? ''
    const told = notifierInWords(context)
    return told === undefined ? [] : [[name, state, told]]
  })
  return ['notifiers', ...aligned(rows)]
}

function notifierInWords(context: Fields): string | undefined {
  const { active_invalidate_ranges: active, invalidate_seq: seq, notifiers } = context
  const flight = (n: unknown): string => (n === 0 ? 'nothing in flight' : `${String(n)} in flight`)
  if (active !== undefined) {
    const tree = listOf(context['itree']).map(s => `${s.who} ${pages(s.start, s.end)}`)
    const plain = Array.isArray(context['list']) ? (context['list'] as readonly string[]) : []
    const deferred = listOf(context['deferred']).length
    return [
      `sequence ${String(seq)}`,
      flight(active),
      ...(tree.length === 0 ? [] : [`interval: ${tree.join(', ')}`]),
      ...(plain.length === 0 ? [] : [`plain: ${plain.join(', ')}`]),
      ...(deferred === 0 ? [] : [`${deferred} deferred`]),
    ].join('; ')
  }
  if (Array.isArray(context['ranges'])) {
    const ranges = listOf(context['ranges']).map(r => `${r.who} ${pages(r.start, r.end)} ${r.valid === true ? 'valid' : 'not valid'}`)
    return [...(notifiers === undefined ? [] : [flight(notifiers)]), ranges.length === 0 ? 'no range' : ranges.join(', ')].join('; ')
  }
  if (typeof seq === 'number') return `sequence ${seq}`
  return undefined
}

/** Locks with who has them, and who waits for them. */
export function drawLocks(system: LinuxSystem, world: LinuxWorld): readonly string[] {
  const waiting = possibleIn(system, world).flatMap(p => (p.blockedOn === undefined ? [] : [{ ...p.blockedOn, by: p.choice.by }]))
  const rows = system.actors.flatMap(({ name }, i) => {
    const state = world.actors[i]?.value ?? ''
    const waiters = waiting.filter(w => w.to === name)
    const isLock = name.endsWith('.mmap_lock') || state === 'locked' || state === 'unlocked'
    if (!isLock && waiters.length === 0) return []
    const holders = isLock ? holdersOf(system, world, name) : []
    return [
      [
        name,
        state,
        [
          ...(holders.length === 0 ? [] : [`held by ${holders.join(', ')}`]),
          ...waiters.map(w => `${w.by} waits: ${w.type} cannot be taken`),
        ].join('; '),
      ],
    ]
  })
  return ['locks', ...aligned(rows)]
}

/** What each actor is doing, and has still to do. */
export function drawAgendas(run: Run, world: LinuxWorld): readonly string[] {
  const { system } = run
  const rows = system.actors.flatMap(({ name, kind }, i) => {
    if (Object.keys(kind.does).length === 0) return []
    const state = world.actors[i]?.value ?? ''
    const agenda = agendaOf(contextOf(system, world, name)).map(itemInWords)
    const shown = agenda.length > 6 ? [...agenda.slice(0, 5), `and ${agenda.length - 5} more`] : agenda
    return [[name, state, `${statementInWords(run, world, name)}${shown.length === 0 ? '' : `: ${shown.join(' · ')}`}`]]
  })
  return ['agendas', ...aligned(rows)]
}

function itemInWords(item: Fields): string {
  const what = phraseFor(String(item['do']))
  const range = isRange(item['range']) ? item['range'] : isRange(item) ? item : undefined
  const who = typeof item['who'] === 'string' ? ` ${item['who']}` : ''
  if (range !== undefined) return `${what}${who} ${pages(range.start, range.end)}`
  const at = item['page'] ?? item['at'] ?? item['start']
  const end = item['end']
  return `${what}${who}${typeof at === 'number' ? ` ${typeof end === 'number' ? pages(at, end) : at}` : ''}`
}

/** Columns under each other, indented. */
export function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => (row[i] ?? '').length)))
  return rows.map(row => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}
