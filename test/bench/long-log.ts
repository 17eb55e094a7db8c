/**
 * A log of a million steps, for the bench of time travel: a thread that maps, writes and unmaps pages again and again, and a
 * device that faults them meanwhile. The program is short, as worlds have what is left of it, and begun again when it is
 * over: that is a step of the log as any other.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { scenario, type Built } from '../../src/index.ts'
import type { Sink } from '../../src/log/record-writer.ts'
import { LogWriter } from '../../src/log/writer.ts'
import type { Fact } from '../../src/memory/facts.ts'
import type { Memory } from '../../src/memory/memory.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { Live, type Entry } from '../../src/system/live.ts'
import type { World } from '../../src/system/world.ts'

const churn = (rounds: number): Built =>
  scenario('churn', ({ linux }) => {
    const m = linux('v6.12')
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const all = []
    for (let i = 0; i < rounds; i++) {
      const buf = cpu.mmap({ pages: 16, at: 16 + 32 * (i % 8) })
      all.push(buf, cpu.write(buf, i), gpu.fault(buf, { attempts: 4 }), cpu.munmap(buf))
    }
    m.race(...all)
  }).build()

const built = churn(40)

/** Writes a log of so many steps, and its index unless that is to be made anew. */
export function writeLongLog(path: string, steps: number, indexed = true): void {
  const log = openSync(path, 'w')
  const index = indexed ? openSync(`${path}.idx`, 'w') : undefined
  longRun(steps, lines => void writeSync(log, lines), index === undefined ? {} : { index: lines => void writeSync(index, lines) })
  closeSync(log)
  if (index !== undefined) closeSync(index)
}

/** Takes so many steps, and records them if there is somewhere to. */
export function longRun(steps: number, sink?: Sink, options: ConstructorParameters<typeof LogWriter>[4] = {}): void {
  const system = linuxSystem(built.system)
  const header = { model: 'bench', system: built.system, chooser: 'round robin', seed: null, title: built.title }
  const first = new Live(system).world
  const writer = sink === undefined ? undefined : new LogWriter(system, first, header, sink, options)
  let [world, n] = [first, 0]
  while (n < steps) {
    const live = new Live(system, world, n)
    if (writer !== undefined) live.entries$.subscribe(entry => writer.step(entry))
    live.run(roundRobin(), steps - n)
    n = live.n
    if (n === steps) break
    const again = begunAgain(live.world, first, ++n)
    writer?.step(again)
    world = again.world
  }
  writer?.end('limit')
}

/** The step by which everybody has their program again. */
function begunAgain(world: World<Memory>, first: World<Memory>, n: number): Entry<Memory, Fact> {
  const actors = world.actors.map((snapshot, i) => {
    const before = first.actors[i]?.context as { readonly program?: unknown }
    return before.program === undefined ? snapshot : { ...snapshot, context: { ...snapshot.context, program: before.program } }
  })
  return {
    kind: 'stepped',
    choice: { by: 'cpu0', offer: 0, budget: 1 },
    do: 'begin_again',
    before: world,
    world: { memory: world.memory, actors },
    calls: [],
    facts: [],
    event: { type: 'begin_again' },
    cut: false,
    n,
    cause: n - 1,
  }
}
