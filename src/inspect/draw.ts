/** The state around a cursor, drawn for people: tables side by side, areas, notifiers, locks, agendas. */
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../memory/vma.ts'
import type { Wrong } from '../oracles/device-entry.ts'
import { devicesOf, invalidationsInFlight } from '../oracles/oracle.ts'
import { entryInWords, mappedInWords } from './entries.ts'
import { agendaOf, contextOf, describeStep, isRange, statementInWords } from './folded-step.ts'
import { phraseFor } from './phrases.ts'
import type { LinuxSystem, LinuxWorld } from './linux.ts'
import { mappedRows } from './mapped-rows.ts'
import { pages } from './pages.ts'
import type { Run } from './recording.ts'
import { locksOf } from './waiting.ts'
import { aligned, hung } from './wrap.ts'

/** Rows of page tables that are drawn. */
const ROWS = 24

/** The step that a cursor stands on, in one line. */
export function stepLine(run: Run, n: number): string {
  if (n === run.first) return `step ${n} of ${run.last}: the beginning`
  const record = run.record(n)
  const cause = record.cause === n - 1 || record.cause === 0 ? '' : `, after ${record.cause}`
  return `step ${n} of ${run.last} · ${record.by}: ${describeStep(run, n).text} (${record.do}${cause})`
}

/** Everything, in paragraphs, in lines of at most `width` columns. */
export function drawState(run: Run, n: number, width = Infinity): readonly string[] {
  const { system } = run
  const world = run.world(n)
  return [
    stepLine(run, n),
    ...Object.keys(world.memory.mms).flatMap(mm => ['', ...drawTables(system, world, mm, width), ...drawAreas(world, mm)]),
    '',
    ...drawNotifiers(system, world, width),
    '',
    ...drawLocks(system, world, width),
    '',
    ...drawAgendas(run, world, width),
  ].flatMap(line => hung(line, width))
}

/** What a row says of a device's entry that is not as it should be. */
const MARKS: Readonly<Record<Wrong, string>> = {
  stale: '  ← not what the CPU maps',
  'writes too much': '  ← may write what the CPU may not',
}

/** The page tables of the CPU and of each device that mirrors the address space, page by page, those drawn together that go on evenly. */
export function drawTables(system: LinuxSystem, world: LinuxWorld, mm: string, width = Infinity): readonly string[] {
  const of = world.memory.mms[mm]
  if (of === undefined) return []
  const view = { names: system.actors.map(a => a.name), world }
  const devices = devicesOf(view).filter(d => d.mm === mm)
  const { rows, beyond } = mappedRows(of, devices)
  if (rows.length === 0) return [`page tables of ${mm}: empty`]
  const cells = rows.map(({ from, end, cpu, devices: words }) => [
    pages(from, end),
    mappedInWords(world.memory, mm, from, cpu),
    ...words.map(({ word, wrong }) => `${entryInWords(word.entry, true, word)}${wrong === undefined ? '' : MARKS[wrong]}`),
  ])
  const hidden = rows.slice(ROWS)
  const marked = hidden.filter(row => row.devices.some(d => d.wrong !== undefined))
  const more =
    beyond !== undefined
      ? [`  … ${hidden.length} more rows up to page ${beyond - 1}, and what is behind it`]
      : hidden.length > 0
        ? [`  … ${hidden.length} more ${hidden.length === 1 ? 'row' : 'rows'}`]
        : []
  const marks = marked[0] === undefined ? [] : [`  marked among them: ${marked.length}, the first at page ${marked[0].from}`]
  const excused = rows.some(row => row.devices.some(d => d.wrong !== undefined)) && invalidationsInFlight(view, mm) > 0
  return [
    `page tables of ${mm}`,
    ...sideBySide(['page', 'CPU', ...devices.map(d => d.name)], cells.slice(0, ROWS), width),
    ...more,
    ...marks,
    ...(excused ? ['  an invalidation is in flight: what is marked may be put right before it is over'] : []),
  ]
}

/** Columns under a head; where they do not stand beside each other, a line for each, with what stands above it before it. */
function sideBySide(head: readonly string[], rows: readonly (readonly string[])[], width: number): readonly string[] {
  const columns = aligned([head, ...rows])
  if (columns.every(line => line.length <= width)) return columns
  return aligned(
    rows.flatMap(([first = '', ...cells]) => cells.map((cell, i) => [i === 0 ? first : '', head[i + 1] ?? '', cell])),
    width,
  )
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
export function drawNotifiers(system: LinuxSystem, world: LinuxWorld, width = Infinity): readonly string[] {
  const rows = system.actors.flatMap(({ name }, i) => {
    const context = (world.actors[i]?.context ?? {}) as Fields
    const state = world.actors[i]?.value ?? ''
    const told = notifierInWords(context)
    return told === undefined ? [] : [[name, state, told]]
  })
  return ['notifiers', ...aligned(rows, width)]
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
export function drawLocks(system: LinuxSystem, world: LinuxWorld, width = Infinity): readonly string[] {
  const rows = locksOf(system, world).map(({ name, state, heldBy, waiters }) => [
    name,
    state,
    [
      ...(heldBy.length === 0 ? [] : [`held by ${heldBy.join(', ')}`]),
      ...waiters.map(({ by, type }) => (type === undefined ? `${by} waits` : `${by} waits: ${type} cannot be taken`)),
    ].join('; '),
  ])
  return ['locks', ...aligned(rows, width)]
}

/** What each actor is doing, and has still to do. */
export function drawAgendas(run: Run, world: LinuxWorld, width = Infinity): readonly string[] {
  const { system } = run
  const rows = system.actors.flatMap(({ name, kind }, i) => {
    if (Object.keys(kind.does).length === 0) return []
    const state = world.actors[i]?.value ?? ''
    const agenda = agendaOf(contextOf(system, world, name)).map(itemInWords)
    const shown = agenda.length > 6 ? [...agenda.slice(0, 5), `and ${agenda.length - 5} more`] : agenda
    return [[name, state, `${statementInWords(run, world, name)}${shown.length === 0 ? '' : `: ${shown.join(' · ')}`}`]]
  })
  return ['agendas', ...aligned(rows, width)]
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
