/** What is shown of page tables and of entries, against the worlds themselves; and why entries are as they are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scenario, slice, until, type Scenario } from '../../src/index.ts'
import { Branch, conditionOf, Cursor, momentAt, openRecording, pathOf, why, whyLines, withStatement } from '../../src/inspect.ts'
import { changesBetween } from '../../src/inspect/changes.ts'
import { describe, type Described } from '../../src/inspect/describe.ts'
import { describeStep } from '../../src/inspect/folded-step.ts'
import { drawState, drawTables } from '../../src/inspect/draw.ts'
import { mappedRows } from '../../src/inspect/mapped-rows.ts'
import type { LinuxSystem, LinuxWorld } from '../../src/inspect/linux.ts'
import type { Recording } from '../../src/inspect/recording.ts'
import { page } from '../../src/memory/address.ts'
import { entryOf, NEXT_FRAME, PRESENT, TABLE, WRITE } from '../../src/memory/entry.ts'
import { emptyMm } from '../../src/memory/memory.ts'
import { smallEntryAt } from '../../src/memory/pagetable.ts'
import { Table } from '../../src/memory/table.ts'
import { choiceOf } from '../../src/log/records.ts'
import { step } from '../../src/system/step.ts'
import { wrongWith } from '../../src/oracles/device-entry.ts'
import { devicesOf } from '../../src/oracles/oracle.ts'
import { told } from './story.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-draw-'))
test.after(() => rmSync(folder, { recursive: true }))

function recorded(of: Scenario, profile: string, variant?: string): Recording {
  const path = join(folder, `${Math.random()}.jsonl`)
  writeFileSync(path, told(of, profile, undefined, variant, false).bytes)
  return openRecording(path)
}
const shipped = async (name: string): Promise<Scenario> =>
  ((await import(`../../scenarios/${name}.ts`)) as { readonly default: Scenario }).default

/** The device has walked two pages when the second is taken away, or may be written no more; it maps both. */
const overtaken = (by: 'dontneed' | 'mprotect'): Scenario =>
  scenario(by, ({ linux }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 3 })
    cpu.write(slice(buf, 0, 2), 42)
    const fault = gpu.fault(slice(buf, 0, 2), { write: true })
    const second = slice(buf, 1, 1)
    const other = by === 'mprotect' ? cpu.mprotect(second, 'r') : cpu.madvise(second, 'dontneed')
    m.race(fault, other).order(until(fault, 'driver_lock'), other, fault)
    if (by === 'mprotect') return
    cpu.write(slice(buf, 2, 1), 9)
    cpu.write(second, 9)
  })

/** `#2–5 WDA` as what the i-th of its pages has. */
const expanded = (words: string, i: number): string =>
  words
    .replace(/#(\d+)–(\d+)/, (_, a: string) => `#${Number(a) + i}`)
    .replace(/#(\d+) down to #(\d+)/, (_, a: string) => `#${Number(a) - i}`)
    .replace(/slots (\d+)–(\d+)/, (_, a: string) => `slot ${Number(a) + i}`)
    .replace(/slots (\d+) down to (\d+)/, (_, a: string) => `slot ${Number(a) - i}`)
    .replace(/ each$/, '')

interface Shown {
  readonly cells: readonly string[]
  readonly marks: readonly string[]
}
/** The rows that are drawn, page by page: a cell for the CPU and for each device, each without its mark. */
function pagesShown(lines: readonly string[]): { readonly heads: readonly string[]; readonly pages: ReadonlyMap<number, Shown> } {
  const head = lines[1] ?? ''
  const heads = head.trim().split(/ +/)
  const starts = heads.map(name => head.indexOf(name))
  const shown = new Map<number, Shown>()
  for (const line of lines.slice(2).filter(text => /^ {2}\d/.test(text))) {
    const [span = '', ...cells] = starts.map((start, i) => line.slice(start, starts[i + 1]).trim())
    const [from = 0, last = from] = span.split('–').map(Number)
    for (let p = from; p <= last; p++) {
      const [told, marks] = [0, 1].map(part => cells.map(cell => (cell.split('  ← ')[part] ?? '').trim()))
      shown.set(p, { cells: (told ?? []).map(words => expanded(words, p - from)), marks: marks ?? [] })
    }
  }
  return { heads: heads.slice(1), pages: shown }
}

const PLACE = /#\d+|the zero page/
/** What is to be marked, by what is written of the page on both sides. */
function markOf(cpu: string, device: string): string {
  if (device === 'none' || cpu.startsWith('migr')) return ''
  const leads = /^(?!swap|marker|hwpoison)/.test(cpu) && PLACE.exec(cpu)?.[0] === PLACE.exec(device)?.[0]
  if (!leads) return 'not what the CPU maps'
  const cpuWrites = /^(devpriv|excl)-/.test(cpu) ? /^\w+-w/.test(cpu) : /(#\d+|page) W/.test(cpu)
  return / W\b/.test(device) && !cpuWrites ? 'may write what the CPU may not' : ''
}

function pagesIn(table: Table, most: number): readonly number[] {
  const found: number[] = []
  for (const [first, count] of table.runs()) {
    for (let i = 0; i < count && found.length < most; i++) found.push(first + i)
  }
  return found
}

/** Is every row of the tables what the paths to its pages show, with its mark, and no page left out? */
function isDrawnRight(system: LinuxSystem, world: LinuxWorld, where: string): number {
  let marked = 0
  for (const mm of Object.keys(world.memory.mms)) {
    const lines = drawTables(system, world, mm)
    const { heads, pages } = lines.length === 1 ? { heads: [], pages: new Map<number, Shown>() } : pagesShown(lines)
    for (const [p, { cells, marks }] of pages) {
      const is = heads.map((head, i) => pathOf(system, i === 0 ? `${mm}:${p}` : `${head}.table.${p}`).show(world))
      assert.equal(cells, is, `${where}, ${mm}:${p}`)
      assert.equal(marks, ['', ...is.slice(1).map(words => markOf(is[0] ?? '', words))], `${where}, ${mm}:${p}`)
      marked += marks.filter(mark => mark !== '').length
    }
    if (lines.some(line => line.includes('…'))) continue
    const devices = devicesOf({ names: system.actors.map(a => a.name), world }).filter(d => d.mm === mm)
    const tables = [world.memory.mms[mm]?.pte, ...devices.map(d => d.table)]
    for (const table of tables)
      for (const p of table === undefined ? [] : pagesIn(table, 3000)) assert.ok(pages.has(p), `${where}, ${mm}:${p}`)
  }
  return marked
}

const RUNS: readonly (readonly [name: string, profile: string, variant?: string])[] = [
  ['seeds/002-device-faults', 'v4.14'],
  ['seeds/002-device-faults', 'v4.14-pre'],
  ['seeds/004-stale-valid', 'v5.2'],
  ['races/fault-against-munmap', 'v5.5'],
  ['selftests/snapshot', 'v6.12', 'coherent'],
  ['selftests/migrate_mixed', 'v6.12', 'coherent'],
  ['selftests/migrate_mixed', 'v6.12', 'private'],
  ['selftests/double_map', 'v6.12', 'private'],
  ['selftests/anon_write_huge', 'v6.12', 'private'],
  ['selftests/compound', 'v6.12', 'private'],
]

test('every row that is drawn, page by page, is what the paths show', async () => {
  for (const [name, profile, variant] of RUNS) {
    const run = recorded(await shipped(name), profile, variant)
    const stride = Math.max(1, Math.floor(run.last / 60))
    for (let n = run.first; n <= run.last; n += stride) isDrawnRight(run.system, run.world(n), `${name} on ${profile}, step ${n}`)
    isDrawnRight(run.system, run.world(run.last), `${name} on ${profile}, its end`)
  }
})

test('rows of any tables: each is even, all of its pages stand as one to the CPU, and no page is left out', () => {
  const flags = [PRESENT | WRITE, PRESENT | WRITE, PRESENT, entryOf('!devpriv-w', 0), entryOf('!swap', 0)]
  const entry = fc.tuple(fc.constantFrom(...flags), fc.integer({ min: 1, max: 5 })).map(([low, frame]) => low + frame * NEXT_FRAME)
  const run = fc.tuple(fc.integer({ min: 505, max: 520 }), fc.integer({ min: 1, max: 6 }), entry, fc.constantFrom(0, 1, -1))
  const table = fc
    .array(run, { maxLength: 6 })
    .map(runs =>
      runs.reduce(
        (all, [from, count, first, step]) =>
          all.update(from, count, (_, p) => Math.max(first + (p - from) * step * NEXT_FRAME, NEXT_FRAME + (first % NEXT_FRAME))),
        Table.empty,
      ),
    )
  fc.assert(
    fc.property(table, table, fc.boolean(), (pte, words, huge) => {
      const pmd = Table.empty.setRange(0, huge ? 1 : 2, TABLE, 0)
      const large = huge ? pmd.set(1, PRESENT | WRITE | (1024 * NEXT_FRAME)) : pmd
      const mm = { ...emptyMm, pgd: Table.empty.set(0, TABLE), pud: Table.empty.set(0, TABLE), pmd: large, pte }
      const { rows } = mappedRows(mm, [{ name: 'gpu0', mm: 'mm0', table: words }])
      const seen = new Set<number>()
      for (const { from, end, cpu, devices } of rows) {
        for (let p = from; p < end; p = page(p + 1)) {
          seen.add(p)
          const [word, is] = [words.get(p), smallEntryAt(mm, p)]
          assert.is(cpu.entry + (p - from) * cpu.step * NEXT_FRAME, is)
          assert.equal(
            devices.map(d => [d.word.entry + (p - from) * d.word.step * NEXT_FRAME, d.wrong]),
            [[word, wrongWith(word, is)]],
          )
        }
      }
      for (let p = 500; p < 530; p++) assert.is(seen.has(p), words.get(p) !== 0 || smallEntryAt(mm, page(p)) !== 0, String(p))
    }),
    { numRuns: 2000 },
  )
})

test('an entry that is not what the CPU maps is marked, and one that may only write too much, in other words', () => {
  const [stale, rights] = [recorded(overtaken('dontneed'), 'v5.2'), recorded(overtaken('mprotect'), 'v5.2')]
  assert.is(isDrawnRight(stale.system, stale.world(stale.last), 'stale'), 1)
  assert.equal(drawTables(stale.system, stale.world(stale.last), 'mm0').slice(2), [
    '  16    #2 WDA  #2 W',
    '  17    #4 WDA  #3 W  ← not what the CPU maps',
    '  18    #3 WDA  none',
  ])
  assert.equal(drawTables(rights.system, rights.world(rights.last), 'mm0').slice(2), [
    '  16    #2 WDA  #2 W',
    '  17    #3 DA   #3 W  ← may write what the CPU may not',
  ])
  assert.match(
    whyLines(stale, why(stale, 'mm0', 17, stale.last)).at(-1) ?? '',
    /gpu0 keeps a stale entry: it walked at 23, cpu0 invalidated/,
  )
  const found = why(rights, 'mm0', 17, rights.last)
  assert.is(found.derived[0]?.agrees, false)
  const lines = whyLines(rights, found)
  assert.match(
    lines.at(-1) ?? '',
    /→ gpu0 may write what the CPU may not: it walked at 23, cpu0 invalidated page 17 at 28–32, step 36 asked/,
  )
  assert.match(lines.join('\n'), / 31 {2}cpu0 +entry changed /)
  assert.match(whyLines(rights, why(rights, 'mm0', 16, rights.last)).at(-1) ?? '', /→ gpu0 maps what the CPU maps$/)
  assert.ok(new Cursor(rights).continue([conditionOf(rights.system, 'deviceWritesWhatCpuMay')]).n === 37)
})

test('what is shown as wrong is what the oracles find, once no invalidation is in flight', async () => {
  for (const [name, profile] of [
    ...RUNS.slice(0, 4),
    ['races/device-told-at-the-end', 'v4.14'],
    ['races/valid-flag-forgets', 'v5.2'],
  ] as const) {
    const run = recorded(await shipped(name), profile)
    for (let n = run.first + 1; n <= run.last; n++) {
      const lines = Object.keys(run.world(n).memory.mms).flatMap(mm => drawTables(run.system, run.world(n), mm))
      const marked = lines.some(line => line.includes('←'))
      const isJudged = !lines.some(line => line.includes('in flight'))
      const found = ['noStaleDeviceMapping', 'deviceWritesWhatCpuMay'].some(oracle =>
        conditionOf(run.system, oracle).holds(momentAt(run, n)),
      )
      if (marked ? isJudged : true) assert.is(found, marked, `${name}, step ${n}`)
      const wrong = [...new Set(lines.flatMap(line => /^ {2}(\d+).*←/.exec(line)?.[1] ?? []))].map(Number)
      for (const p of wrong)
        assert.ok(
          why(run, 'mm0', p, n).derived.some(d => !d.agrees),
          `${name}, step ${n}`,
        )
    }
  }
})

test('a walk says how far it has come, on every kernel', async () => {
  const walks = (profile: string, of: Scenario): readonly string[] => {
    const run = recorded(of, profile)
    return Array.from({ length: run.last }, (_, i) => describeStep(run, i + 1).text).filter(text => text.startsWith('walks'))
  }
  const four = await shipped('races/fault-against-munmap')
  const thrice = ['walks as far as 16', 'walks as far as 17', 'walks as far as 18']
  const over = 'walks; finds 16–19 → #2–5 W'
  for (const profile of ['v4.14', 'v5.2', 'v6.12']) assert.equal(walks(profile, four), [...thrice, over], profile)
  // Of two walks the first is for nothing.
  assert.equal(walks('v5.5', four), [...thrice, 'walks, and has to walk again from 16', ...thrice, over])
  const run = recorded(four, 'v5.5')
  assert.is(why(run, 'mm0', 16, run.last).derived[0]?.walked, 35, 'the walk that counts')
})

test('a step of a log is told in the words that it had when it was decided', async () => {
  const runs = [
    ['races/device-tlb-not-flushed', 'v6.12'],
    ['races/remove-sees-sequence', 'v6.12,+removeSeesSequence'],
    ['selftests/snapshot', 'v6.12', 'private'],
    ['races/fault-against-munmap', 'v5.5'],
  ] as const
  for (const [name, profile, variant] of runs) {
    const run = recorded(await shipped(name), profile, variant)
    for (let n = 1; n <= run.last; n++) {
      const decided = step(run.system, run.world(n - 1), choiceOf(run.record(n)))
      if (decided.kind !== 'stepped') throw new Error(`${name}: step ${n} cannot be decided again`)
      const { event, calls, facts } = decided
      const live = describe({ do: decided.do, event: event as Described['event'], calls, facts }).text
      assert.is(describeStep(run, n).text, live, `${name}, step ${n}`)
    }
  }
})

test('of a log that begins in the middle, what was so where it begins is said to be', () => {
  const trunk = recorded(overtaken('mprotect'), 'v5.2')
  const leaves = (n: number): Branch =>
    new Branch(trunk, n, trunk.world(n), { name: 'b', trunk: trunk.log.id, system: trunk.system, spec: trunk.header.system, changed: [] })
  const later = leaves(38)
  assert.equal(whyLines(later, why(later, 'mm0', 17, 38)), [
    'page 17 of mm0 at step 38: the CPU maps #3 DA',
    '  as it was where the log begins, at step 38',
    'gpu0 maps #3 W, as it did where the log begins, at step 38',
    '  → gpu0 may write what the CPU may not: nobody told it of page 17 since the log begins, at step 38',
  ])
  assert.equal(whyLines(later, why(later, 'mm0', 99, 38)).slice(1), [
    '  as it was where the log begins, at step 38',
    '  no device has mapped it since the log begins, at step 38',
  ])
  // The walk is before the beginning, what came of it is behind it.
  const walked = leaves(24)
  walked.run(100)
  const lines = whyLines(walked, why(walked, 'mm0', 17, walked.last)).join('\n')
  assert.not.match(lines, /undefined|never written/)
  // What it mapped then is taken away behind it.
  const world = withStatement(trunk.system, trunk.world(40), 'cpu0', { do: 'munmap', mm: 'mm0', start: 16, end: 18 })
  const gone = new Branch(trunk, 40, world, {
    name: 'g',
    trunk: trunk.log.id,
    system: trunk.system,
    spec: trunk.header.system,
    changed: [],
  })
  gone.run(100)
  assert.match(whyLines(gone, why(gone, 'mm0', 17, gone.last)).at(-1) ?? '', /gpu0 maps nothing there: step \d+ took the entry away/)
})

test('a table, and a range of one, are shown as entries are', () => {
  const run = recorded(overtaken('dontneed'), 'v5.2')
  const shown = (text: string, n = run.last): string => pathOf(run.system, text).show(run.world(n))
  assert.is(shown('mm0.pte.16-17'), '16 = #2 WDA, 17 = #4 WDA')
  assert.is(shown('mm0.pte.16-19', 24), '16–17 = #2–3 WDA')
  assert.is(shown('mm0.pte.40-49'), 'none')
  assert.is(shown('gpu0.table'), '16–17 = #2–3 W')
  assert.is(shown('gpu0.table', 3), 'none')
  assert.is(shown('gpu0.table.17-99'), '17 = #3 W')
  assert.is(shown('gpu0.table.16'), '#2 W')
  assert.is(shown('swap.refs'), 'none')
  assert.ok(conditionOf(run.system, 'gpu0.table = none').holds(momentAt(run, 3)))
})

test('changes of several entries are told as one only where they go on evenly, before and after', () => {
  const run = recorded(overtaken('mprotect'), 'v5.2')
  const told = (from: number, to: number, of: RegExp): readonly string[] =>
    changesBetween(run, from, to)
      .filter(change => of.test(change.text))
      .map(({ text, before, after }) => `${text}: ${before} → ${after}`)
  assert.equal(told(36, 37, /table/), ['gpu0.table.16-17: none → #2–3 W'])
  assert.equal(told(2, 36, /pte/), ['mm0.pte.16: none → #2 WDA', 'mm0.pte.17: none → #3 DA'])
  assert.equal(told(2, 36, /frames.(refs|index|state)/), [
    'frames.refs.2-3: 0 → 1',
    'frames.state.2-3: free → anon',
    'frames.index.2-3: 0 → 16–17',
  ])
})

test('nothing is wider than it may be, where a word is not; and nothing is lost', () => {
  const run = recorded(overtaken('mprotect'), 'v5.2')
  const wordsIn = (lines: readonly string[]): readonly string[] => lines.flatMap(line => line.trim().split(/\s+/)).toSorted()
  for (const width of [40, 60, 80]) {
    for (let n = run.first; n <= run.last; n += 4) {
      for (const draw of [(w?: number) => drawState(run, n, w), (w?: number) => whyLines(run, why(run, 'mm0', 17, n), w)]) {
        const lines = draw(width)
        for (const line of lines) assert.ok(line.length <= width, `${width}: ${line}`)
        if (width >= 60) assert.equal(wordsIn(lines), wordsIn(draw()), `step ${n}`)
      }
    }
  }
})

test.run()
