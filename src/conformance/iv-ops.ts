/** The ops on interval notifiers and on invalidations held open, with the books that the recorder's module keeps of them. */
import type { NotifierRange } from '../kernel/agenda.ts'
import { errnoOf } from '../kernel/thread.ts'
import { notifierName, processNames, waiterName } from './actors.ts'
import type { Op } from './ops.ts'
import type { Result } from './recording.ts'
import type { Session } from './session.ts'

const { mm: MM, cpu: CPU } = processNames(0)

/** A call that went to sleep; `op` as the recorder numbers them: 1 remove, 2 begin. */
interface Waiting {
  readonly k: number
  readonly op: 1 | 2
}

/** What a call of a thread has answered. */
export function returned(session: Session, by: string): Result {
  const told = session.told(by, 'returned')
  // Of a kernel that died, nothing else is known.
  if (session.told(by, 'oops') !== undefined) return {}
  if (told === undefined) throw new Error(`${by} has not returned`)
  const err = errnoOf(told)
  return err === null ? { ret: told.ret } : { ret: -1, err }
}

export class NotifierOps {
  readonly #session: Session
  readonly #inserted = new Set<number>()
  readonly #held = new Map<number, NotifierRange>()
  #waiting: readonly Waiting[] = []

  constructor(session: Session) {
    this.#session = session
  }

  iv({ what, k, start, end }: Op & { readonly op: 'iv' }): Result {
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
      return { ...returned(session, CPU), ...this.#books(who) }
    }
    if (!this.#inserted.has(k)) return { ret: -1, err: 'ENOENT' }
    if (what === 'retry' || what === 'check') {
      session.run(CPU, { do: 'mmu_interval_read_retry', mm: MM, who })
      return { ...returned(session, CPU), ...this.#books(who) }
    }
    const waiting: Waiting = { k, op: what === 'remove' ? 1 : 2 }
    session.give(waiterName(k), { do: what === 'remove' ? 'mmu_interval_notifier_remove' : 'mmu_interval_read_begin', mm: MM, who })
    if (session.let(waiterName(k))) return this.#ended(waiting)
    this.#waiting = [...this.#waiting, waiting]
    return { ret: 0, blocks: true }
  }

  /** What a remove or a begin has answered. */
  #ended({ k, op }: Waiting): Result {
    const { ret } = returned(this.#session, waiterName(k))
    if (op === 1) {
      this.#inserted.delete(k)
      return { ret: 0 }
    }
    return { ...this.#books(notifierName(k)), ret: 0, seq: ret }
  }

  inv({ what, k, start, end }: Op & { readonly op: 'inv' }): Result {
    const held = this.#held.get(k)
    if (what === 'end') {
      if (held === undefined) return { ret: -1, err: 'ENOENT' }
      this.#held.delete(k)
      this.#session.run(CPU, { do: 'mmu_notifier_invalidate_range_end', range: held })
      return returned(this.#session, CPU)
    }
    if (held !== undefined) return { ret: -1, err: 'EEXIST' }
    const range: NotifierRange = { mm: MM, event: 'CLEAR', start, end, blockable: what === 'start', owner: null }
    this.#session.run(CPU, { do: 'mmu_notifier_invalidate_range_start', range })
    const result = returned(this.#session, CPU)
    if (result['err'] === undefined) this.#held.set(k, range)
    return result
  }

  /** Calls that slept and can go on now, in the order in which they were made. */
  withResumed(result: Result): Result {
    const resumed: Result[] = []
    this.#waiting = this.#waiting.filter(waiting => {
      if (!this.#session.let(waiterName(waiting.k))) return true
      resumed.push({ op: waiting.op, k: waiting.k, ...this.#ended(waiting) })
      return false
    })
    return resumed.length === 0 ? result : { ...result, resumed }
  }

  /** What the test module reports of a notifier. */
  #books(who: string): { readonly seq: number; readonly calls: number; readonly lastseq: number } {
    const books = this.#session.contextOf(who) as { readonly invalidate_seq: number; readonly calls: number; readonly lastseq: number }
    return { seq: books.invalidate_seq, calls: books.calls, lastseq: books.lastseq }
  }
}
