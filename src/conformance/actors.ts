/** The actors that a recorded program needs, with the names by which the recorder's parts go in the model. */
import { hmmOf, mirrorName, snapshotOf } from '../kernel/names.ts'
import type { Profile } from '../kernel/profiles.ts'
import type { MmName } from '../memory/memory.ts'
import { mmActors, RANGE_MACHINES, type ActorSpec } from '../scenario/standard.ts'
import { parseLine, UnknownOp, type Line } from './ops.ts'

/** One process of a program: its address space, its thread, and what listens to it. */
export interface ProcessNames {
  readonly mm: MmName
  readonly cpu: string
  /** The recorder's plain notifier: it logs every invalidation. */
  readonly probe: string
  /** Stands for the probe module's call of `hmm_range_fault()`: a notifier and a range of its own. */
  readonly driver: string
  readonly range: string
  /** The file of the probe module, which maps what it is asked for. */
  readonly file: string
}

/** A process, with what the recorder has opened in it, by its own numbers and names; null: closed. */
export interface Process extends ProcessNames {
  readonly devices: Map<number, string | null>
  readonly files: Map<string, string>
}

export const processNames = (k: number): ProcessNames => ({
  mm: `mm${k}`,
  cpu: k === 0 ? 'cpu0' : `mm${k}.cpu0`,
  probe: `mm${k}.probe`,
  driver: `mm${k}.driver`,
  range: `mm${k}.driver.range`,
  file: `hmm_probe${k}`,
})
export const notifierName = (k: number): string => `mm0.iv${k}`
/** Calls on a notifier that may sleep run in a thread of their own. */
export const waiterName = (k: number): string => `${notifierName(k)}.waiter`

/** The lines that can be read; one that cannot says so when it is to run. */
const known = (ops: readonly string[]): readonly Line[] =>
  ops.flatMap(line => {
    try {
      return [parseLine(line)]
    } catch (error) {
      if (error instanceof UnknownOp) return []
      throw error
    }
  })

export function actorsFor(ops: readonly string[], profile: Profile): readonly ActorSpec[] {
  const lines = known(ops)
  const processes = 1 + lines.filter(({ op }) => op.op === 'fork').length
  const slots = [...new Set(lines.flatMap(({ op }) => (op.op === 'iv' ? [op.k] : [])))].toSorted((a, b) => a - b)
  const mirrors = lines.filter(({ op }) => op.op === 'dopen' || (op.op === 'mmap' && op.kind === 'mixed')).length
  return [
    ...Array.from({ length: processes }, (_, k) => ofProcess(k, profile)).flat(),
    ...slots.flatMap((k): readonly ActorSpec[] => [
      { name: notifierName(k), machine: 'interval_notifier', input: {} },
      { name: waiterName(k), machine: 'thread', input: { mm: 'mm0', program: [] } },
    ]),
    ...Array.from({ length: mirrors }, (_, n): readonly ActorSpec[] => [
      { name: mirrorName(n), machine: 'dmirror', input: {} },
      { name: snapshotOf(mirrorName(n)), machine: 'interval_notifier', input: {} },
    ]).flat(),
  ]
}

function ofProcess(k: number, { rangeValidity }: Profile): readonly ActorSpec[] {
  const { mm, cpu, probe, driver, range } = processNames(k)
  const { range: machine, hmm } = RANGE_MACHINES[rangeValidity]
  return [
    ...mmActors(mm, { list: hmm === null ? [probe] : [hmmOf(mm), probe] }),
    ...(hmm === null ? [] : [{ name: hmmOf(mm), machine: hmm, input: { mirrors: [driver] } }]),
    { name: probe, machine: 'mmu_notifier', input: {} },
    { name: cpu, machine: k === 0 ? 'thread' : 'child_thread', input: { mm, program: [] } },
    { name: driver, machine: 'device', input: { mm, start: 0, end: 0 } },
    { name: range, machine, input: { name: range, mm, device: driver, program: [] } },
  ]
}
