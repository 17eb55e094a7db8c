/**
 * `npm run bench`: what the model costs, as ratios measured in one run. Figures in absolute terms are of this machine and
 * this moment.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { readRecording, recordingFiles } from '../../src/conformance/recording.ts'
import { conformProgram } from '../../src/conformance/conform.ts'
import { LogWriter } from '../../src/log/writer.ts'
import { page, pfn } from '../../src/memory/address.ts'
import { ACCESSED, DIRTY, present, WRITE } from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { stateOf } from '../../src/memory/frames.ts'
import { bootMemory, type Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { scenario, type Built } from '../../src/index.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { Live } from '../../src/system/live.ts'
import { compiled } from '../../src/system/compile.ts'
import { reference, type Take } from '../../src/system/take.ts'
import { walk } from '../../src/walker/hmm.ts'
import { diffFigures } from './diff.ts'
import { exploreBench } from './explore.ts'
import { cpuSeconds, cpuSecondsEach, elsewhere, thousands } from './measure.ts'
import { writeLongLog } from './long-log.ts'
import type { RecordingFigures } from './recording.ts'
import type { EntrySize, SizeFigures } from './sizes.ts'
import type { Percentiles, TravelFigures } from './travel.ts'
import { ownRecordings } from '../../src/cli/conform.ts'

const line = (what: string, figure: string, ratio: string): void => console.log(`${what.padEnd(58)}${figure.padStart(24)}   ${ratio}`)

/** A thread that writes and unmaps 16 pages again and again, and a device that faults them meanwhile. */
function churn(rounds: number): Built {
  return scenario('churn', ({ linux }) => {
    const m = linux('v6.12')
    const cpu = m.thread()
    const gpu = m.device()
    const all = []
    for (let i = 0; i < rounds; i++) {
      const buf = cpu.mmap({ pages: 16, at: 16 })
      all.push(buf, cpu.write(buf, i), gpu.fault(buf, { attempts: 4 }), cpu.munmap(buf))
    }
    m.race(...all)
  }).build()
}

function run(built: Built, take: Take, log: boolean): number {
  const system = linuxSystem(built.system, {}, take)
  const live = new Live(system)
  let bytes = 0
  const header = { model: 'bench', system: built.system, chooser: 'round robin', seed: null, title: built.title }
  const count = (lines: Buffer): void => void (bytes += lines.length)
  const writer = log ? new LogWriter(system, live.world, header, count, { index: count }).follow(live.entries$) : undefined
  live.run(roundRobin())
  writer?.end('at rest')
  return live.n
}

const built = churn(60)
const steps = run(built, compiled, false)
const [plain = 0, logged = 0, uncompiled = 0] = cpuSecondsEach([
  () => void run(built, compiled, false),
  () => void run(built, compiled, true),
  () => void run(built, reference, false),
]).map(seconds => seconds / steps)
line('steps through the actors, compiled', `${thousands(1 / plain)} a second`, '1')
line('the same with the log and its index', `${thousands(1 / logged)} a second`, `+${((logged - plain) * 1e6).toFixed(2)} µs a step`)
line(
  'the same, machines taken by xstate itself',
  `${thousands(1 / uncompiled)} a second`,
  `${(uncompiled / plain).toFixed(1)} times as long`,
)

const programs = recordingFiles(ownRecordings()).flatMap(readRecording)
const conformance = cpuSeconds(() => programs.forEach(p => void conformProgram(p)), 2) / programs.length
line('conformance programs', `${thousands(1 / conformance)} a second`, `${(conformance / plain).toFixed(0)} steps' time each`)

/** 1 GiB of private memory, every page written: 262,144 pages. */
const PAGES = 262_144
function mapped(): Memory {
  const end = page(PAGES)
  const tables: readonly Fact[] = [
    entries('pgd', 'mm0', 0, 1, 2 as never),
    entries('pud', 'mm0', 0, 1, 2 as never),
    entries('pmd', 'mm0', 0, 512, 2 as never),
  ]
  const vma = { start: page(0), end, flags: 0x273, pgoff: 0, anonVma: 1, linked: [1], order: 1, anonOrder: 1, file: '' }
  const memory = fold(bootMemory(['mm0']), [
    ['vmas', 'mm0', 0, 0, [vma]],
    ...tables,
    entries('pte', 'mm0', 0, PAGES, present(WRITE | DIRTY | ACCESSED, pfn(2)), 1),
  ])
  const column = (value: number): Table => Table.empty.setRange(2, PAGES, value, 0)
  return {
    ...memory,
    frames: {
      refs: column(1),
      maps: column(1),
      hugeMaps: Table.empty,
      state: column(stateOf('anon:X')),
      content: Table.empty.setRange(2, PAGES, 1000, 1),
      anonVma: column(1),
      lru: Table.empty,
      fresh: Table.empty,
      index: Table.empty.setRange(2, PAGES, 0, 1),
      locked: Table.empty,
      free: pfn(PAGES + 2),
      freeBlock: pfn(PAGES + 512),
    },
  }
}
globalThis.gc?.()
const heap = process.memoryUsage().heapUsed
const memory = mapped()
globalThis.gc?.()
const bytes = (process.memoryUsage().heapUsed - heap) / PAGES

const flat = Int32Array.from({ length: PAGES }, (_, i) => memory.mms['mm0']?.pte.get(i) ?? 0)
const out = new Int32Array(PAGES)
const plainLoop =
  cpuSeconds(() => {
    for (let again = 0; again < 20; again++)
      for (let i = 0; i < PAGES; i++) out[i] = ((flat[i] ?? 0) & 1) === 0 ? 0 : (flat[i] ?? 0) & ~0xfc
  }) /
  20 /
  PAGES
const range = { start: page(0), end: page(PAGES), defaultFlags: 0, pfnFlagsMask: 0, owned: null }
const snapshot =
  cpuSeconds(() => {
    const walked = walk(memory, 'mm0', range, { last: range.start, array: Table.empty, stop: null }, Infinity)
    if (walked.last !== range.end || walked.array.get(5) === 0) throw new Error('the walk did not come to its end')
  }) / PAGES
line('a plain typed-array loop over 262,144 entries', `${thousands(1 / plainLoop)} pages a second`, '1')
line(
  'snapshot of 1 GiB by hmm_range_fault',
  `${thousands(1 / snapshot)} pages a second`,
  `${(snapshot / plainLoop).toFixed(1)} times as long`,
)
line('memory for a mapped page, frame data included', `${bytes.toFixed(1)} bytes`, '')

/** In a process of its own, so that its peak of memory is its own. */
const measured = (size: EntrySize, pages: number): SizeFigures => elsewhere('sizes.js', size, String(pages)) as SizeFigures

for (const size of ['4 KiB', '2 MiB', '1 GiB'] as const) {
  const ranges = (size === '1 GiB' ? [262_144] : size === '2 MiB' ? [8192, 262_144] : [256, 8192, 262_144]) satisfies readonly number[]
  let first: SizeFigures | undefined
  for (const pages of ranges) {
    const figures = measured(size, pages)
    first ??= figures
    const mib = `${pages / 256} MiB`
    for (const what of ['fault', 'snapshot', 'unmap'] as const) {
      const name = { fault: 'faulted in', snapshot: 'told by hmm_range_fault', unmap: 'unmapped' }[what]
      const ratio = `${(figures[what] / first[what]).toFixed(2)} times the page of the smallest range`
      line(`${mib} in entries of ${size}, ${name}`, `${thousands(1 / figures[what])} pages a second`, ratio)
    }
    line(
      `${mib} in entries of ${size}, peak of memory`,
      `${(figures.peak / 2 ** 20).toFixed(0)} MiB`,
      `${(figures.heap / 2 ** 20).toFixed(1)} MiB of it the model's`,
    )
  }
}

/** Time travel over a log of a million steps. */
const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-bench-'))
const long = join(folder, 'long.jsonl')
writeLongLog(long, 1_000_000)
const travelled = elsewhere('travel.js', long) as TravelFigures
const ms = ({ median, p99, most }: Percentiles): readonly [string, string] => [
  `${p99.toFixed(2)} ms p99`,
  `${median.toFixed(2)} ms the median, ${most.toFixed(1)} ms the most`,
]
line(
  'a log of 1,000,000 steps: opened by its index',
  `${travelled.open.toFixed(0)} ms`,
  `index ${(travelled.indexBytes / 2 ** 20).toFixed(1)} MiB`,
)
const { bare, log, index } = elsewhere('recording.js') as RecordingFigures
for (const [what, took] of [
  ['recording it', log],
  ['recording it and its index', index],
] as const) {
  line(what, `+${((took - bare) * 1e6).toFixed(2)} µs a step`, `${(took / bare).toFixed(2)} times as long as the steps alone`)
}
line('seek to any step', ...ms(travelled.seek))
line('one step back', ...ms(travelled.back))
line('which step last changed a path', ...ms(travelled.last))
line('why a page is mapped as it is', ...ms(travelled.why))
line('peak of memory', `${(travelled.peak / 2 ** 20).toFixed(0)} MiB`, '')
const compressed = gzipSync(readFileSync(long)).length / travelled.steps
line(
  'size of the log',
  `${(travelled.bytes / travelled.steps).toFixed(0)} bytes a step`,
  `${compressed.toFixed(1)} bytes compressed by gzip`,
)
rmSync(folder, { recursive: true })

const diff = diffFigures()
for (const [what, seconds] of [
  ['that part early', diff.parting],
  ['that are the same', diff.same],
] as const)
  line(`two runs ${what}, ${thousands(diff.steps)} steps each, read and compared`, `${seconds.toFixed(2)} s`, 'at most 2 s is wanted')
await exploreBench(line)
