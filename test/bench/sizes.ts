/**
 * Memory faulted in by stores, told to a device by `hmm_range_fault()`, and unmapped: in entries of 4 KiB, 2 MiB and 1 GiB,
 * over ranges of different sizes. What a page costs must not hang on how large the range is.
 */
import type { Statement } from '../../src/kernel/thread.ts'
import { page, PMD_PAGES, PUD_PAGES } from '../../src/memory/address.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'
import { linuxSystem, mmActors } from '../../src/scenario/standard.ts'
import { step } from '../../src/system/step.ts'
import { initialWorld, type World } from '../../src/system/world.ts'
import { walk } from '../../src/walker/hmm.ts'
import { secondsOnce } from './measure.ts'

export type EntrySize = '4 KiB' | '2 MiB' | '1 GiB'

export interface SizeFigures {
  /** Seconds a page, of 4 KiB each. */
  readonly fault: number
  readonly snapshot: number
  readonly unmap: number
  /** Bytes of heap while all of it was mapped, beyond those before. */
  readonly heap: number
  /** Bytes that the process had at most. */
  readonly peak: number
}

const START = page(PUD_PAGES)

const mapping = (size: EntrySize, pages: number): readonly Statement[] => {
  const end = page(START + pages)
  const map = { do: 'mmap', mm: 'mm0', start: START, end, prot: 'rw' } as const
  switch (size) {
    case '4 KiB':
      return [{ ...map, shared: false, of: 'anon' }]
    case '2 MiB':
      return [
        { ...map, shared: false, of: 'anon' },
        { do: 'madvise', mm: 'mm0', start: START, end, advice: 'huge' },
      ]
    case '1 GiB':
      return [
        { do: 'open', mm: 'mm0', file: 'dax1.0', kind: 'devdax' },
        { ...map, shared: true, of: { file: 'dax1.0', pgoff: 0 } },
      ]
  }
}

const STRIDE: Readonly<Record<EntrySize, number>> = { '4 KiB': 1, '2 MiB': PMD_PAGES, '1 GiB': PUD_PAGES }

/** A machine with one thread, which does what it is told to its end. */
class Machine {
  readonly #system = linuxSystem({
    profile: 'v6.12',
    mms: ['mm0'],
    actors: [...mmActors('mm0', {}), { name: 'cpu0', machine: 'thread', input: { mm: 'mm0', program: [] } }],
  })
  #world: World<Memory> = initialWorld(this.#system)

  get memory(): Memory {
    return this.#world.memory
  }

  run(...program: readonly Statement[]): void {
    const i = this.#system.actors.findIndex(({ name }) => name === 'cpu0')
    const { value, context } = this.#world.actors[i] ?? { value: '', context: {} }
    this.#world = { memory: this.#world.memory, actors: this.#world.actors.with(i, { value, context: { ...context, program } }) }
    for (;;) {
      const next = step(this.#system, this.#world, { by: 'cpu0', offer: 0, budget: Infinity })
      if (next.kind !== 'stepped') return
      this.#world = next.world
    }
  }
}

/** One run over `pages` pages; each entry is faulted in by a store to its first page. */
export function measureSize(size: EntrySize, pages: number): SizeFigures {
  const end = page(START + pages)
  const machine = new Machine()
  machine.run(...mapping(size, pages))
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const stores: readonly Statement[] =
    size === '4 KiB'
      ? [{ do: 'store', at: START, end, value: 1 }]
      : Array.from({ length: pages / STRIDE[size] }, (_, i) => {
          const at = page(START + i * STRIDE[size])
          return { do: 'store', at, end: page(at + 1), value: 1 }
        })
  const fault = secondsOnce(() => machine.run(...stores))
  globalThis.gc?.()
  const heap = process.memoryUsage().heapUsed - before
  const range = { start: START, end, defaultFlags: 0, pfnFlagsMask: 0, owned: null }
  const snapshot = secondsOnce(() => {
    const walked = walk(machine.memory, 'mm0', range, { last: START, array: Table.empty, stop: null }, Infinity)
    if (walked.last !== end || walked.array.get(end - 1) === 0) throw new Error(`the walk over ${pages} pages did not come to its end`)
  })
  const unmap = secondsOnce(() => machine.run({ do: 'munmap', mm: 'mm0', start: START, end }))
  const peak = process.resourceUsage().maxRSS * 1024
  return { fault: fault / pages, snapshot: snapshot / pages, unmap: unmap / pages, heap: Math.max(0, heap), peak }
}

/** The best of several runs, behind one that only warms up: small ranges are done many times. */
function best(size: EntrySize, pages: number): SizeFigures {
  measureSize(size, size === '1 GiB' ? pages : Math.min(pages, WARM_UP))
  const all = Array.from({ length: pages > WARM_UP ? 3 : 30 }, () => measureSize(size, pages))
  const least = (field: keyof SizeFigures): number => Math.min(...all.map(f => f[field]))
  return {
    fault: least('fault'),
    snapshot: least('snapshot'),
    unmap: least('unmap'),
    heap: Math.max(...all.map(f => f.heap)),
    peak: Math.max(...all.map(f => f.peak)),
  }
}
const WARM_UP = 8192

const [size, pages] = process.argv.slice(2)
if (size === '4 KiB' || size === '2 MiB' || size === '1 GiB') console.log(JSON.stringify(best(size, Number(pages))))
