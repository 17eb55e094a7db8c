/**
 * A recorded program, run in the model: op by op, as the recorder ran it, through the same actors as everything else.
 * What the recorder and its test module keep books of (which notifiers are inserted, which invalidations are held open,
 * which calls sleep) is kept here.
 */
import type { NotifierRange } from '../kernel/agenda.ts'
import type { DeviceFault, RangeContext, RangeEvent } from '../kernel/range.ts'
import { errnoOf, type Statement, type ThreadContext, type ThreadEvent } from '../kernel/thread.ts'
import { page } from '../memory/address.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import { Table } from '../memory/table.ts'
import { linuxSystem, mmActors, type ActorSpec, type LinuxSystem } from '../scenario/standard.ts'
import type { Snapshot } from '../system/actor.ts'
import { step, type Stepped } from '../system/step.ts'
import type { Take } from '../system/take.ts'
import { initialWorld, snapshotOf, type World } from '../system/world.ts'
import { FrameNumbers, pagesOf, pfnRuns, rowsOf, runLengths } from './observe.ts'
import { parseOp, type Op } from './ops.ts'
import type { EventRow, Result } from './recording.ts'
import type { Seen } from './compare.ts'

const MM = 'mm0'
const CPU = 'cpu0'
const PROBE = `${MM}.probe`
const DRIVER = `${MM}.driver`
const RANGE = `${DRIVER}.range`
const notifierName = (k: number): string => `${MM}.iv${k}`
const waiterName = (k: number): string => `${MM}.iv${k}.waiter`

type Step = Stepped<Memory, Fact>

/** A call that went to sleep, and is waited for. */
interface Waiting {
  readonly k: number
  /** As the recorder numbers its ops: 1 remove, 2 begin. */
  readonly op: 1 | 2
}

/** The system of a process that runs a program: its address space, its thread, and the test module's notifiers. */
function actorsFor(ops: readonly string[]): readonly ActorSpec[] {
  const thread = (name: string): ActorSpec => ({ name, machine: 'thread', input: { mm: MM, program: [] } })
  const used = (word: string): boolean => ops.some(op => op.startsWith(`${word} `))
  const slots = [...new Set(ops.flatMap(op => /^iv \w+ (\d+)/.exec(op)?.[1] ?? []).map(Number))].sort((a, b) => a - b)
  return [
    ...mmActors(MM, { list: [PROBE] }),
    { name: PROBE, machine: 'mmu_notifier', input: {} },
    thread(CPU),
    ...(used('rfault')
      ? [
          { name: DRIVER, machine: 'device', input: { mm: MM, start: 0, end: 0 } },
          { name: RANGE, machine: 'range', input: { name: RANGE, mm: MM, device: DRIVER, program: [] } },
        ]
      : []),
    ...slots.flatMap(k => [{ name: notifierName(k), machine: 'interval_notifier', input: {} }, thread(waiterName(k))]),
  ]
}

export class ProgramRun {
  readonly #system: LinuxSystem
  #world: World<Memory>
  #steps: Step[] = []
  readonly #on = new Set<number>()
  readonly #held = new Map<number, NotifierRange>()
  #waiting: readonly Waiting[] = []

  constructor(ops: readonly string[], profile: string, take?: Take) {
    this.#system = linuxSystem({ profile, mms: [MM], actors: actorsFor(ops) }, {}, take)
    this.#world = initialWorld(this.#system)
  }

  /** Steps taken so far in all. */
  taken = 0

  /** Runs one op; what the recorder would have written of it. Throws `UnknownOp` for one that the model does not know. */
  op(line: string): Seen {
    const op = parseOp(line)
    this.#steps = []
    const result = this.#run(op)
    this.taken += this.#steps.length
    const numbers = new FrameNumbers()
    const pt = rowsOf(this.#world.memory, MM, numbers)
    return { obs: { 0: { ev: this.#events(), pt } }, res: result(numbers) }
  }

  #run(op: Op): (numbers: FrameNumbers) => Result {
    switch (op.op) {
      case 'mmap':
        return this.#call({ do: 'mmap', mm: MM, start: op.start, end: op.end, prot: op.prot, shared: op.shared })
      case 'munmap':
      case 'mlock':
      case 'munlock':
        return this.#call({ do: op.op, mm: MM, start: op.start, end: op.end })
      case 'mprotect':
        return this.#call({ do: op.op, mm: MM, start: op.start, end: op.end, prot: op.prot })
      case 'madvise':
        return this.#call({ do: op.op, mm: MM, start: op.start, end: op.end, advice: op.advice })
      case 'mremap':
        return this.#call({ do: op.op, mm: MM, from: op.from, to: op.to, old: op.old, pages: op.pages })
      case 'read':
        return this.#access({ do: 'load', at: op.start, end: op.end })
      case 'write':
        return this.#access({ do: 'store', at: op.start, end: op.end, value: op.value })
      case 'gup':
        return this.#gup(op)
      case 'rfault':
        return this.#rfault(op)
      case 'iv':
        return this.#iv(op)
      case 'inv':
        return this.#inv(op)
    }
  }

  /** Puts a statement at the end of an actor's program: the hand of the recorder. */
  #give(name: string, statement: Statement | DeviceFault): void {
    const actors = this.#world.actors.map((snapshot: Snapshot, i) => {
      if (this.#system.actors[i]?.name !== name) return snapshot
      const context = snapshot.context as ThreadContext | RangeContext
      return { value: snapshot.value, context: { ...context, program: [...context.program, statement] } }
    })
    this.#world = { memory: this.#world.memory, actors }
  }

  /** Lets an actor act until it is at rest, cannot go on, or is in `state`; answers whether it got there. */
  #let(by: string, state?: string): boolean {
    for (;;) {
      if (state !== undefined && snapshotOf(this.#system, this.#world, by).value === state) return true
      const next = step(this.#system, this.#world, { by, offer: 0, budget: Infinity })
      if (next.kind === 'at rest') return true
      if (next.kind === 'blocked') return false
      this.#steps.push(next)
      this.#world = next.world
    }
  }

  /** Runs a statement that nothing may block. */
  #do(by: string, statement: Statement | DeviceFault, state?: string): void {
    this.#give(by, statement)
    if (!this.#let(by, state)) throw new Error(`${by} is blocked in a program that runs alone`)
  }

  #last(by: string, type: string): ThreadEvent | RangeEvent | undefined {
    return this.#steps.findLast(s => s.choice.by === by && s.event.type === type)?.event as ThreadEvent | RangeEvent | undefined
  }

  /** What a system call answered: `ret` and `err`. */
  #returned(by = CPU): Result {
    const event = this.#last(by, 'returned')
    if (event?.type !== 'returned' || !('err' in event)) throw new Error(`${by} has not returned`)
    const err = errnoOf(event)
    return err === null ? { ret: event.ret } : { ret: -1, err }
  }

  #call(statement: Statement): () => Result {
    this.#do(CPU, statement)
    const result = this.#returned()
    return () => result
  }

  #access(statement: Statement): () => Result {
    this.#do(CPU, statement)
    const values = this.#steps.flatMap(s => {
      const event = s.event as ThreadEvent
      return event.type === 'accessed' ? event.values : []
    })
    const signal = this.#last(CPU, 'signal')
    const end = signal?.type === 'signal' ? { ret: -1, sig: signal.sig, code: signal.code, at: signal.at } : { ret: 0 }
    return () => (statement.do === 'load' ? { ...end, val: runLengths(values) } : end)
  }

  #gup({ start, end, flags }: Op & { readonly op: 'gup' }): (numbers: FrameNumbers) => Result {
    this.#do(CPU, { do: 'get_user_pages', mm: MM, start, end, flags })
    const result = this.#returned()
    const event = this.#last(CPU, 'returned')
    const array = event?.type === 'returned' && 'array' in event ? event.array : Table.empty
    const count = Math.max(0, Number(result['ret']))
    return numbers => ({ ...result, pages: pagesOf(this.#world.memory, array, start, count, numbers) })
  }

  /** A fresh interval notifier over the range, one call, the retry check, and the notifier is gone again. */
  #rfault({ start, end, defaultFlags, pfnFlagsMask, requests, race }: Op & { readonly op: 'rfault' }): (numbers: FrameNumbers) => Result {
    this.#do(CPU, { do: 'mmu_interval_notifier_insert', mm: MM, who: DRIVER, start, end })
    this.#do(RANGE, { start, end, defaultFlags, pfnFlagsMask, requests, attempts: 1 }, 'mmap_read_unlock')
    const walked = this.#last(RANGE, 'walked') as RangeEvent & { readonly type: 'walked' }
    this.#let(RANGE, 'driver_lock')
    if (race) {
      const range: NotifierRange = { mm: MM, event: 'CLEAR', start, end, blockable: true }
      this.#do(CPU, { do: 'mmu_notifier_invalidate_range_start', range })
      this.#do(CPU, { do: 'mmu_notifier_invalidate_range_end', range })
    }
    const begun = this.#last(RANGE, 'begun') as RangeEvent & { readonly type: 'begun' }
    const { invalidate_seq } = snapshotOf(this.#system, this.#world, DRIVER).context as { readonly invalidate_seq: number }
    this.#let(RANGE)
    this.#do(CPU, { do: 'mmu_interval_notifier_remove', mm: MM, who: DRIVER })
    const stale = invalidate_seq === begun.seq ? {} : { stale: true }
    const answer = walked.fail === null ? { ret: walked.ret } : { ret: -1, err: walked.fail }
    return numbers => ({ ...answer, ...stale, pfns: pfnRuns(walked.array, start, end, numbers) })
  }

  #iv({ what, k, start, end }: Op & { readonly op: 'iv' }): () => Result {
    const who = notifierName(k)
    const result = this.#ivCall(what, k, who, start, end)
    const resumed = this.#resumed()
    return () => ({ ...result, ...resumed })
  }

  #ivCall(what: (Op & { readonly op: 'iv' })['what'], k: number, who: string, start: number, end: number): Result {
    const on = this.#on.has(k)
    if (what === 'refuse') {
      const refused = this.#system.take(this.#machineOf(who), snapshotOf(this.#system, this.#world, who), { type: 'refuse' })
      if (refused !== undefined) this.#replace(who, refused.next)
      return { ret: 0 }
    }
    if (what === 'insert') {
      if (on) return { ret: -1, err: 'EEXIST', ...this.#books(who) }
      this.#do(CPU, { do: 'mmu_interval_notifier_insert', mm: MM, who, start: page(start), end: page(end) })
      this.#on.add(k)
      return { ...this.#returned(), ...this.#books(who) }
    }
    if (!on) return { ret: -1, err: 'ENOENT' }
    if (what === 'retry' || what === 'check') {
      this.#do(CPU, { do: 'mmu_interval_read_retry', mm: MM, who })
      return { ...this.#returned(), ...this.#books(who) }
    }
    const op = what === 'remove' ? 1 : 2
    this.#give(waiterName(k), { do: op === 1 ? 'mmu_interval_notifier_remove' : 'mmu_interval_read_begin', mm: MM, who })
    if (this.#let(waiterName(k))) return this.#ended({ k, op })
    this.#waiting = [...this.#waiting, { k, op }]
    return { ret: 0, blocks: true }
  }

  /** What a begin or a remove has answered, and what is then so. */
  #ended({ k, op }: Waiting): Result {
    const { ret } = this.#returned(waiterName(k))
    if (op === 1) {
      this.#on.delete(k)
      return { ret: 0 }
    }
    const { calls, lastseq } = this.#books(notifierName(k))
    return { ret: 0, seq: ret, calls, lastseq }
  }

  #inv({ what, k, start, end }: Op & { readonly op: 'inv' }): () => Result {
    const result = this.#invCall(what, k, { mm: MM, event: 'CLEAR', start, end, blockable: what !== 'try' })
    const resumed = this.#resumed()
    return () => ({ ...result, ...resumed })
  }

  #invCall(what: (Op & { readonly op: 'inv' })['what'], k: number, range: NotifierRange): Result {
    const held = this.#held.get(k)
    if (what === 'end') {
      if (held === undefined) return { ret: -1, err: 'ENOENT' }
      this.#held.delete(k)
      this.#do(CPU, { do: 'mmu_notifier_invalidate_range_end', range: held })
      return this.#returned()
    }
    if (held !== undefined) return { ret: -1, err: 'EEXIST' }
    this.#do(CPU, { do: 'mmu_notifier_invalidate_range_start', range })
    const result = this.#returned()
    if (result['err'] === undefined) this.#held.set(k, range)
    return result
  }

  /** Calls that slept and can go on now, in the order in which they were made. */
  #resumed(): Result {
    const resumed: Result[] = []
    this.#waiting = this.#waiting.filter(waiting => {
      if (!this.#let(waiterName(waiting.k))) return true
      resumed.push({ op: waiting.op, k: waiting.k, ...this.#ended(waiting) })
      return false
    })
    return resumed.length === 0 ? {} : { resumed }
  }

  /** What the test module reports of a notifier. */
  #books(who: string): { readonly seq: number; readonly calls: number; readonly lastseq: number } {
    const c = snapshotOf(this.#system, this.#world, who).context as { readonly invalidate_seq: number; readonly calls: number; readonly lastseq: number }
    return { seq: c.invalidate_seq, calls: c.calls, lastseq: c.lastseq }
  }

  #machineOf(name: string): LinuxSystem['actors'][number]['kind']['machine'] {
    const actor = this.#system.actors.find(a => a.name === name)
    if (actor === undefined) throw new Error(`no actor '${name}'`)
    return actor.kind.machine
  }

  #replace(name: string, next: Snapshot): void {
    this.#world = { memory: this.#world.memory, actors: this.#world.actors.map((s, i) => (this.#system.actors[i]?.name === name ? next : s)) }
  }

  /** The calls of the plain notifier, as the recorder's own has logged them. */
  #events(): readonly EventRow[] {
    return this.#steps.flatMap(s =>
      s.calls.flatMap(({ to, event }) => {
        if (to !== PROBE) return []
        const range = event as unknown as NotifierRange & { readonly type: string }
        return [[range.type === 'invalidate_range_start' ? 'start' : 'end', range.event, range.start, range.end, range.blockable ? 1 : 0, 0] as const]
      }),
    )
  }
}
