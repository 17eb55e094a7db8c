/**
 * A recorded program, run in the model: op by op, as the recorder ran it, through the same actors as everything else.
 * What the recorder and its test module keep books of (which notifiers are inserted, which invalidations are held open,
 * which calls sleep) is kept here.
 */
import type { NotifierRange } from '../kernel/agenda.ts'
import { errnoOf, type Statement } from '../kernel/thread.ts'
import { Table } from '../memory/table.ts'
import { linuxSystem, mmActors, type ActorSpec } from '../scenario/standard.ts'
import type { Take } from '../system/take.ts'
import type { Seen } from './compare.ts'
import { FrameNumbers, pagesOf, pfnRuns, rowsOf, runLengths } from './observe.ts'
import { parseOp, type Op } from './ops.ts'
import type { EventRow, Result } from './recording.ts'
import { Session } from './session.ts'

const MM = 'mm0'
const CPU = 'cpu0'
/** The recorder's plain notifier: it logs every invalidation. */
const PROBE = `${MM}.probe`
/** Stands for the module's call of `hmm_range_fault()`: a notifier and a range of its own. */
const DRIVER = `${MM}.driver`
const RANGE = `${DRIVER}.range`
const notifierName = (k: number): string => `${MM}.iv${k}`
/** Calls on a notifier that may sleep run in a thread of their own. */
const waiterName = (k: number): string => `${MM}.iv${k}.waiter`

/** What of an op is known only when frames have their numbers, which the page table gives first. */
type Told = (numbers: FrameNumbers) => Result

/** A call that went to sleep; `op` as the recorder numbers them: 1 remove, 2 begin. */
interface Waiting {
  readonly k: number
  readonly op: 1 | 2
}

function actorsFor(ops: readonly string[]): readonly ActorSpec[] {
  const thread = (name: string): ActorSpec => ({ name, machine: 'thread', input: { mm: MM, program: [] } })
  const slots = [...new Set(ops.flatMap(op => /^iv \w+ (\d+)/.exec(op)?.[1] ?? []).map(Number))].toSorted((a, b) => a - b)
  const driver: readonly ActorSpec[] = [
    { name: DRIVER, machine: 'device', input: { mm: MM, start: 0, end: 0 } },
    { name: RANGE, machine: 'range', input: { name: RANGE, mm: MM, device: DRIVER, program: [] } },
  ]
  return [
    ...mmActors(MM, { list: [PROBE] }),
    { name: PROBE, machine: 'mmu_notifier', input: {} },
    thread(CPU),
    ...(ops.some(op => op.startsWith('rfault ')) ? driver : []),
    ...slots.flatMap(k => [{ name: notifierName(k), machine: 'interval_notifier', input: {} }, thread(waiterName(k))]),
  ]
}

export class ProgramRun {
  readonly #session: Session
  readonly #inserted = new Set<number>()
  readonly #held = new Map<number, NotifierRange>()
  #waiting: readonly Waiting[] = []

  /** `ops`: all that will be run, for the actors that they need. */
  constructor(ops: readonly string[], profile: string, take?: Take) {
    this.#session = new Session(linuxSystem({ profile, mms: [MM], actors: actorsFor(ops) }, {}, take))
  }

  /** Runs one op: what the recorder would have written of it. Throws `UnknownOp` for one that the model does not know. */
  op(line: string): Seen {
    const op = parseOp(line)
    this.#session.fresh()
    const told = this.#run(op)
    const numbers = new FrameNumbers()
    const pt = rowsOf(this.#session.memory, MM, numbers)
    return { obs: { 0: { ev: this.#events(), pt } }, res: told(numbers) }
  }

  #run(op: Op): Told {
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
        return this.#withResumed(this.#iv(op))
      case 'inv':
        return this.#withResumed(this.#inv(op))
    }
  }

  /** What a system call answered: `ret` and `err`. */
  #returned(by = CPU): Result {
    const returned = this.#session.told(by, 'returned')
    if (returned === undefined) throw new Error(`${by} has not returned`)
    const err = errnoOf(returned)
    return err === null ? { ret: returned.ret } : { ret: -1, err }
  }

  #call(statement: Statement): Told {
    this.#session.run(CPU, statement)
    const result = this.#returned()
    return () => result
  }

  #access(statement: Statement): Told {
    this.#session.run(CPU, statement)
    const values = this.#session.allTold(CPU, 'accessed').flatMap(event => event.values)
    const signal = this.#session.told(CPU, 'signal')
    const end = signal === undefined ? { ret: 0 } : { ret: -1, sig: signal.sig, code: signal.code, at: signal.at }
    return () => (statement.do === 'load' ? { ...end, val: runLengths(values) } : end)
  }

  #gup({ start, end, flags }: Op & { readonly op: 'gup' }): Told {
    this.#session.run(CPU, { do: 'get_user_pages', mm: MM, start, end, flags })
    const result = this.#returned()
    const array = this.#session.told(CPU, 'returned')?.array ?? Table.empty
    const count = Math.max(0, Number(result['ret']))
    return numbers => ({ ...result, pages: pagesOf(this.#session.memory, array, start, count, numbers) })
  }

  /** A fresh interval notifier over the range, one call, the retry check, and the notifier is gone again. */
  #rfault({ start, end, defaultFlags, pfnFlagsMask, requests, race }: Op & { readonly op: 'rfault' }): Told {
    const session = this.#session
    session.run(CPU, { do: 'mmu_interval_notifier_insert', mm: MM, who: DRIVER, start, end })
    session.run(RANGE, { start, end, defaultFlags, pfnFlagsMask, requests, attempts: 1 }, 'mmap_read_unlock')
    session.let(RANGE, 'driver_lock')
    const range: NotifierRange = { mm: MM, event: 'CLEAR', start, end, blockable: true }
    if (race) {
      session.run(CPU, { do: 'mmu_notifier_invalidate_range_start', range })
      session.run(CPU, { do: 'mmu_notifier_invalidate_range_end', range })
    }
    const [begun, walked] = [session.told(RANGE, 'begun'), session.told(RANGE, 'walked')]
    if (begun === undefined || walked === undefined) throw new Error('a range that has not walked')
    const stale = this.#books(DRIVER).seq === begun.seq ? {} : { stale: true }
    session.let(RANGE)
    session.run(CPU, { do: 'mmu_interval_notifier_remove', mm: MM, who: DRIVER })
    const answer = walked.fail === null ? { ret: walked.ret } : { ret: -1, err: walked.fail }
    return numbers => ({ ...answer, ...stale, pfns: pfnRuns(walked.array, start, end, numbers) })
  }

  #iv({ what, k, start, end }: Op & { readonly op: 'iv' }): Result {
    const who = notifierName(k)
    const session = this.#session
    if (what === 'refuse') {
      session.run(CPU, { do: 'driver_call', to: who, event: { type: 'refuse' } })
      return { ret: 0 }
    }
    if (what === 'insert') {
      if (this.#inserted.has(k)) return { ret: -1, err: 'EEXIST', ...this.#books(who) }
      session.run(CPU, { do: 'mmu_interval_notifier_insert', mm: MM, who, start, end })
      this.#inserted.add(k)
      return { ...this.#returned(), ...this.#books(who) }
    }
    if (!this.#inserted.has(k)) return { ret: -1, err: 'ENOENT' }
    if (what === 'retry' || what === 'check') {
      session.run(CPU, { do: 'mmu_interval_read_retry', mm: MM, who })
      return { ...this.#returned(), ...this.#books(who) }
    }
    const waiting: Waiting = { k, op: what === 'remove' ? 1 : 2 }
    session.give(waiterName(k), { do: what === 'remove' ? 'mmu_interval_notifier_remove' : 'mmu_interval_read_begin', mm: MM, who })
    if (session.let(waiterName(k))) return this.#ended(waiting)
    this.#waiting = [...this.#waiting, waiting]
    return { ret: 0, blocks: true }
  }

  /** What a remove or a begin has answered. */
  #ended({ k, op }: Waiting): Result {
    const { ret } = this.#returned(waiterName(k))
    if (op === 1) {
      this.#inserted.delete(k)
      return { ret: 0 }
    }
    return { ...this.#books(notifierName(k)), ret: 0, seq: ret }
  }

  #inv({ what, k, start, end }: Op & { readonly op: 'inv' }): Result {
    const held = this.#held.get(k)
    if (what === 'end') {
      if (held === undefined) return { ret: -1, err: 'ENOENT' }
      this.#held.delete(k)
      this.#session.run(CPU, { do: 'mmu_notifier_invalidate_range_end', range: held })
      return this.#returned()
    }
    if (held !== undefined) return { ret: -1, err: 'EEXIST' }
    const range: NotifierRange = { mm: MM, event: 'CLEAR', start, end, blockable: what === 'start' }
    this.#session.run(CPU, { do: 'mmu_notifier_invalidate_range_start', range })
    const result = this.#returned()
    if (result['err'] === undefined) this.#held.set(k, range)
    return result
  }

  /** Calls that slept and can go on now, in the order in which they were made. */
  #withResumed(result: Result): Told {
    const resumed: Result[] = []
    this.#waiting = this.#waiting.filter(waiting => {
      if (!this.#session.let(waiterName(waiting.k))) return true
      resumed.push({ op: waiting.op, k: waiting.k, ...this.#ended(waiting) })
      return false
    })
    return () => (resumed.length === 0 ? result : { ...result, resumed })
  }

  /** What the test module reports of a notifier. */
  #books(who: string): { readonly seq: number; readonly calls: number; readonly lastseq: number } {
    const books = this.#session.contextOf(who) as { readonly invalidate_seq: number; readonly calls: number; readonly lastseq: number }
    return { seq: books.invalidate_seq, calls: books.calls, lastseq: books.lastseq }
  }

  /** The calls of the plain notifier, as the recorder has logged them. */
  #events(): readonly EventRow[] {
    return this.#session.steps.flatMap(s =>
      s.calls.flatMap(({ to, event }): readonly EventRow[] => {
        if (to !== PROBE) return []
        const range = event as NotifierRange & { readonly type: string }
        return [
          [range.type === 'invalidate_range_start' ? 'start' : 'end', range.event, range.start, range.end, range.blockable ? 1 : 0, 0],
        ]
      }),
    )
  }
}
