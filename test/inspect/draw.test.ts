/** What is drawn of page tables, against the worlds themselves and what oracles find in them. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { conditionOf, Cursor, momentAt, pathOf, why, whyLines } from '../../src/inspect.ts'
import { scenario, until } from '../../src/index.ts'
import { drawLocks, drawTables } from '../../src/inspect/draw.ts'
import { mappedRows } from '../../src/inspect/mapped-rows.ts'
import type { LinuxSystem, LinuxWorld } from '../../src/inspect/linux.ts'
import { page } from '../../src/memory/address.ts'
import { entryOf, NEXT_FRAME, PRESENT, TABLE, WRITE } from '../../src/memory/entry.ts'
import { emptyMm } from '../../src/memory/memory.ts'
import { smallEntryAt } from '../../src/memory/pagetable.ts'
import { Table } from '../../src/memory/table.ts'
import { wrongWith } from '../../src/oracles/device-entry.ts'
import { devicesOf } from '../../src/oracles/oracle.ts'
import { overtaken, recorded, shipped } from './recorded.ts'

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

test('locks: of files as of address spaces, with who has them and who waits; and what else is waited for', () => {
  const punched = recorded(
    scenario('a fault is in the middle', ({ linux }) => {
      const m = linux()
      const [a, b] = [m.thread('a'), m.thread('b')]
      const file = a.open('data', { fs: 'dax', pages: 2, fill: 1 })
      const buf = a.mmap({ pages: 1, at: 16, shared: true, of: file })
      const [punch, read, second] = [a.punch(file, { start: 0, end: 1 }), b.read(buf), b.gup(buf)]
      m.race(punch, [read, second]).order(until(read, 'vmf_insert_pfn'), read, until(second, 'put_pages'), punch)
    }),
    'v6.12',
  )
  const drawn = (n: number): readonly string[] => drawLocks(punched.system, punched.world(n))
  const at = (what: string, by: string): number => {
    for (let n = punched.first + 1; n <= punched.last; n++) if (punched.record(n).do === what && punched.record(n).by === by) return n
    throw new Error(`nobody does ${what}`)
  }
  assert.equal(drawn(at('punch_hole', 'a') - 1), ['locks', '  mm0.mmap_lock  unlocked'])
  assert.equal(drawn(at('dax_store_entry', 'b')), [
    'locks',
    '  mm0.mmap_lock         read  held by b',
    '  data.invalidate_lock  read  held by b',
  ])
  const busy = ['locks', '  mm0.mmap_lock  unlocked', '  data.i_rwsem   write     held by a', '  frame 4194304  held      a waits']
  assert.equal(drawn(at('dax_layout_busy_page', 'a')), busy)
})

test.run()
