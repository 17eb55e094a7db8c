/** What a CPU thread does in each of its states: run its program, or what the kernel has left to do for it. */
import type { Fact } from '../memory/facts.ts'
import type { Memory, MmName } from '../memory/memory.ts'
import { Table } from '../memory/table.ts'
import { accessPages, from, type Access } from './faults/access.ts'
import { advance, type Action, type Kernel, type Work } from './advance.ts'
import type { Agenda, Item, SystemCalls } from './agenda.ts'
import { fdget } from './files/fdget.ts'
import { inodeLocked } from './files/file-lock.ts'
import { isOops, signalOf, whereOf, type Errno, type Failure, type Signal } from './failure.ts'
import type { AnyEvent, Does, Offer } from './offer.ts'
import type { Page } from '../memory/address.ts'

/** A statement of a program: a system call, or loads or stores. */
export type Statement = Item<keyof SystemCalls> | Access

export interface ThreadContext extends Work {
  readonly mm: MmName
  /** What is left of the program; the first statement is the one that runs. */
  readonly program: readonly Statement[]
}

/** Nothing is being done. */
export const REST: Work = { agenda: [], array: Table.empty, fail: null, ret: 0, out: {} }

/** What a system call answered. */
export interface Returned {
  readonly type: 'returned'
  readonly ret: number
  readonly err: Failure | null
  /** What it filled for its caller. */
  readonly array: Table
  readonly out: Readonly<Record<string, number>>
}

export type ThreadEvent =
  | { readonly type: 'syscall'; readonly agenda: Work['agenda'] }
  | { readonly type: 'accessed'; readonly values: readonly number[]; readonly left: Access | null }
  | { readonly type: 'page_fault'; readonly at: Page; readonly agenda: Work['agenda'] }
  | ({ readonly type: 'ran' } & Work)
  | Returned
  /** The process is gone. */
  | { readonly type: 'exited' }
  /** The kernel died, in this function. */
  | { readonly type: 'oops'; readonly where: string }
  /** `fork()`, seen from the child. */
  | { readonly type: 'ret_from_fork' }
  /** The fault is dealt with; the access is made again. */
  | { readonly type: 'handled' }
  | ({ readonly type: 'signal'; readonly at: Page } & Signal)

type Offers = readonly Offer<Fact>[]
type ThreadDoes = Does<Memory, Fact, ThreadContext>

/** One offer that only tells the machine something. */
const tell = (what: string, event: ThreadEvent | AnyEvent): Offers => [{ do: what, calls: [], facts: [], event: () => event }]

/** The step that an action of the agenda is. */
export const acting = (action: Action, event: (after: Work) => AnyEvent): Offers => [
  { do: action.item.do, calls: action.calls, facts: action.facts, event: replies => event(action.after(replies)), cut: action.cut },
]

const isAction = (x: Action | Work): x is Action => 'item' in x

/** The next action of an agenda; `event` is told what is left then. */
export const work = (kernel: Kernel, memory: Memory, now: Work, budget: number, event: (after: Work) => AnyEvent): Offers => {
  const next = advance(kernel, memory, now, budget)
  return isAction(next) ? acting(next, event) : tell('return', event(next))
}

/** Just the work of something that has it. */
export const workOf = ({ agenda, array, fail, ret, out }: Work): Work => ({ agenda, array, fail, ret, out })
export const ran = (work: Work): { readonly type: 'ran' } & Work => ({ type: 'ran', ...workOf(work) })

/** The system call goes on, or has answered. */
const inSyscall = (after: Work): ThreadEvent => {
  if (after.agenda.length > 0) return ran(after)
  if (after.fail === 'EXITED') return { type: 'exited' }
  if (isOops(after.fail)) return { type: 'oops', where: whereOf(after.fail) }
  return { type: 'returned', ret: after.ret, err: after.fail, array: after.array, out: after.out }
}

/** The fault goes on, is done (then the access is made again), or ends in a signal. */
const inFault =
  (at: Page) =>
  (after: Work): ThreadEvent => {
    if (after.agenda.length > 0) return ran(after)
    if (after.fail === null) return { type: 'handled' }
    if (isOops(after.fail)) return { type: 'oops', where: whereOf(after.fail) }
    return { type: 'signal', at, ...signalOf(after.fail) }
  }

/**
 * A system call begins: on a file that is open, with a reference to it where others could close it, and one at a time if it changes
 * the file; a thread that is alone needs neither.
 */
function enter(kernel: Kernel, memory: Memory, { mm }: ThreadContext, statement: Exclude<Statement, Access>): Offers {
  const { isBad, held } = fdget(memory, statement, (kernel.threads.get(mm) ?? 0) > 1)
  if (isBad) return tell(statement.do, { type: 'returned', ret: 0, err: 'EBADF', array: Table.empty, out: {} })
  const body: Agenda = isAlone(kernel) ? [statement] : inodeLocked(statement)
  if (held === null) return tell(statement.do, { type: 'syscall', agenda: body })
  const event = (): ThreadEvent => ({ type: 'syscall', agenda: [...body, { do: 'fdput', file: held }] })
  return [{ do: statement.do, calls: [], facts: [['fget', held, 1]], event }]
}

const isAlone = ({ threads }: Kernel): boolean => threads.size <= 1 && [...threads.values()].every(n => n <= 1)

function user(kernel: Kernel, memory: Memory, context: ThreadContext, budget: number): Offers {
  const { mm, program } = context
  const [statement] = program
  if (statement === undefined) return []
  if (statement.do !== 'load' && statement.do !== 'store') return enter(kernel, memory, context, statement)
  const { facts, values, at } = accessPages(memory, mm, statement, budget)
  if (at === statement.at && at < statement.end) {
    const access = statement.do === 'store' ? 'write' : 'read'
    return tell('page_fault', { type: 'page_fault', at, agenda: [{ do: 'do_user_addr_fault', mm, page: at, access }] })
  }
  const left = at < statement.end ? from(statement, at) : null
  return [
    {
      do: statement.do,
      calls: [],
      facts,
      event: () => ({ type: 'accessed', values, left }),
      cut: at < statement.end && at === statement.at + budget,
    },
  ]
}

/** Where the access that faulted goes on. */
const faultsAt = ({ program }: ThreadContext): Page => (program[0] as Access).at

/** The rules that the states of `machines/thread.ts` name. */
export const threadDoes = (kernel: Kernel): Readonly<Record<'user' | 'syscall' | 'page_fault', ThreadDoes>> => ({
  user: (memory, context, budget) => user(kernel, memory, context, budget),
  syscall: (memory, context, budget) => work(kernel, memory, context, budget, inSyscall),
  page_fault: (memory, context, budget) => work(kernel, memory, context, budget, inFault(faultsAt(context))),
})

/** The error number a system call failed with; null if it did not. A failure of another kind does not leave the kernel. */
export const errnoOf = (returned: Returned): Errno | null => {
  const { err } = returned
  if (err === null || /^E[A-Z]/.test(err)) return err as Errno | null
  throw new Error(`${err} left the kernel as the answer of a system call`)
}
