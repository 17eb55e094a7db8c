/**
 * A recorded program, run in the model: op by op, as the recorder ran it, through the same actors as everything else.
 * What the recorder keeps books of (processes, open files, notifiers that are inserted) is kept here.
 */
import type { MapOf, NotifierRange } from '../kernel/agenda.ts'
import type { Access } from '../kernel/faults/access.ts'
import type { Profile } from '../kernel/profiles.ts'
import type { Statement } from '../kernel/thread.ts'
import { frameOf, NONE } from '../memory/entry.ts'
import { DEVICE_PAGES, mmOf, type Memory, type MmName } from '../memory/memory.ts'
import { frameAt, leafAt } from '../memory/pagetable.ts'
import { page, pfn, type Page } from '../memory/address.ts'
import { Table } from '../memory/table.ts'
import { vmaAt } from '../memory/vma.ts'
import { linuxSystem, profileOf } from '../scenario/standard.ts'
import type { Take } from '../system/take.ts'
import type { HmmRange } from '../walker/hmm.ts'
import { actorsFor, processNames, type Process } from './actors.ts'
import type { Seen } from './compare.ts'
import { DeviceOps, type Commanded } from './device-ops.ts'
import { fileOp } from './file-ops.ts'
import { NotifierOps, returned } from './iv-ops.ts'
import { legacyGupFlags, legacyRangeFault, vmaRangeFault } from './legacy-ops.ts'
import { FrameNumbers, pagesOf, pfnRuns, rowsOf, runLengths } from './observe.ts'
import { parseLine, type Op } from './ops.ts'
import type { EventRow, Observed, Result } from './recording.ts'
import { Livelock, Session } from './session.ts'

/** What of an op is known only when frames have their numbers, which the page tables give first. */
type Told = (numbers: FrameNumbers) => Result

const PROBE_OFFSETS = { pfnmap: 0, insert: 1, special: 2 }

export class ProgramRun {
  readonly #profile: Profile
  readonly #session: Session
  readonly #notifiers: NotifierOps
  readonly #processes = new Map<number, Process>()
  readonly #devices: DeviceOps
  #forks = 0
  #unknown: readonly number[] = []
  #oops: string | undefined

  /** `ops`: all that will be run, for the actors that they need. */
  constructor(ops: readonly string[], profile: string, take?: Take) {
    this.#profile = profileOf(profile)
    this.#session = new Session(linuxSystem({ profile, mms: ['mm0'], actors: actorsFor(ops, this.#profile) }, {}, take))
    this.#notifiers = new NotifierOps(this.#session)
    this.#devices = new DeviceOps(this.#session)
    this.#processes.set(0, { ...processNames(0), devices: new Map(), files: new Map() })
  }

  /** Runs one op: what the recorder would have written of it. Throws `UnknownOp` for one that the model does not know. */
  op(line: string): Seen {
    const { who, op } = parseLine(line)
    this.#session.fresh()
    this.#unknown = []
    const by = this.#processes.get(who)
    if (by === undefined) throw new Error(`there is no process ${who}`)
    this.#oops = undefined
    const told = this.#untilLivelock(() => this.#run(op, by, who))
    const numbers = new FrameNumbers(this.#profile)
    const obs: Record<string, Observed> = {}
    for (const [k, { mm, probe }] of this.#processes) {
      obs[k] = { ev: op.op === 'fork' && k === this.#forks ? [] : this.#events(probe), pt: rowsOf(this.#session.memory, mm, numbers) }
    }
    const oops = this.#oops ?? this.#session.told(by.cpu, 'oops')?.where
    const evicted = this.#session.steps.some(s => s.do === 'dmirror_evict')
    return { obs, res: told(numbers), evicted, unknown: this.#unknown, ...(oops === undefined ? {} : { oops }) }
  }

  get memory(): Memory {
    return this.#session.memory
  }

  /** Steps of the last op. */
  get steps(): Session['steps'] {
    return this.#session.steps
  }

  /** Of an op that never ends, nothing is known but that. */
  #untilLivelock(run: () => Told): Told {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof Livelock)) throw error
      this.#oops = 'hang'
      return () => ({})
    }
  }

  #run(op: Op, by: Process, who: number): Told {
    const { mm } = by
    switch (op.op) {
      case 'mmap':
        return this.#mmap(op, by)
      case 'munmap':
      case 'mlock':
      case 'munlock':
        return this.#call(by, { do: op.op, mm, start: op.start, end: op.end })
      case 'mprotect':
        return this.#call(by, { do: op.op, mm, start: op.start, end: op.end, prot: op.prot })
      case 'madvise':
        return this.#call(by, { do: op.op, mm, start: op.start, end: op.end, advice: op.advice })
      case 'mremap':
        return this.#call(by, { do: op.op, mm, from: op.from, to: op.to, old: op.old, pages: op.pages })
      case 'read':
        return this.#access(by, { do: 'load', at: op.start, end: op.end })
      case 'write':
        return this.#access(by, { do: 'store', at: op.start, end: op.end, value: op.value })
      case 'gup':
        return this.#gup(op, by)
      case 'rfault':
        return this.#profile.rangeValidity === 'sequence' ? this.#rfault(op, by) : this.#legacyRfault(op, by)
      case 'file':
      case 'truncate':
      case 'punch':
      case 'pread':
      case 'pwrite':
        return this.#answer(fileOp(this.#session, op, by))
      case 'fork':
        return this.#fork()
      case 'exit':
        this.#session.run(by.cpu, { do: 'exit', mm })
        this.#processes.delete(who)
        return () => ({ ret: 0 })
      case 'dopen': {
        const { who: file, result } = this.#devices.open(by, op.device)
        by.devices.set(op.fd, result.ret === 0 ? file : null)
        return this.#answer(result)
      }
      case 'dclose':
        return this.#answer(this.#devices.close(by, op.fd))
      case 'iv':
        return this.#answer(this.#notifiers.withResumed(this.#notifiers.iv(op)))
      case 'inv':
        return this.#answer(this.#notifiers.withResumed(this.#notifiers.inv(op)))
      default:
        return this.#commanded(this.#devices.command(op, by))
    }
  }

  #commanded({ result, unknown, hangs }: Commanded): Told {
    this.#unknown = unknown
    if (hangs) this.#oops = 'hang'
    return () => result
  }

  #answer(result: Result): Told {
    return () => result
  }

  #call(by: Process, statement: Statement): Told {
    this.#session.run(by.cpu, statement)
    return this.#answer(returned(this.#session, by.cpu))
  }

  #mmap({ start, end, kind, prot, shared, file, offset }: Op & { readonly op: 'mmap' }, by: Process): Told {
    const map = (of: MapOf): Told => this.#call(by, { do: 'mmap', mm: by.mm, start, end, prot, shared, of })
    switch (kind) {
      case 'anon':
      case 'hugetlb':
        return map(kind)
      case 'file': {
        const name = by.files.get(file)
        return name === undefined ? this.#answer({ ret: -1, err: 'EBADF' }) : map({ file: name, pgoff: offset })
      }
      case 'pfnmap':
      case 'insert':
      case 'special':
        this.#session.run(by.cpu, { do: 'open', mm: by.mm, file: by.file, kind: 'probe' })
        return map({ file: by.file, pgoff: PROBE_OFFSETS[kind] })
      case 'mixed': {
        const { who: name } = this.#devices.open(by, 0)
        const told = map({ file: name, pgoff: 0 })
        this.#session.run(by.cpu, { do: 'close', mm: by.mm, file: name })
        return told
      }
      case 'devdax': {
        this.#session.run(by.cpu, { do: 'open', mm: by.mm, file: 'dax1.0', kind: 'devdax' })
        const told = map({ file: 'dax1.0', pgoff: 0 })
        this.#session.run(by.cpu, { do: 'close', mm: by.mm, file: 'dax1.0' })
        return told
      }
    }
  }

  #access(by: Process, statement: Access): Told {
    this.#session.run(by.cpu, statement)
    const values = this.#session.allTold(by.cpu, 'accessed').flatMap(event => event.values)
    const signal = this.#session.told(by.cpu, 'signal')
    this.#unknown = values.flatMap((value, i) => (value === 0 && this.#isDevdax(by.mm, page(statement.at + i)) ? [i] : []))
    const end = signal === undefined ? { ret: 0 } : { ret: -1, sig: signal.sig, code: signal.code, at: signal.at }
    return () => (statement.do === 'load' ? { ...end, val: runLengths(values) } : end)
  }

  /** The device of 1 GiB keeps what earlier programs have written into it, which no program alone can know. */
  #isDevdax(name: MmName, at: Page): boolean {
    const { files, mms } = this.#session.memory
    return files[vmaAt(mms[name]?.vmas ?? [], at)?.file ?? '']?.kind === 'devdax'
  }

  #gup({ start, end, flags }: Op & { readonly op: 'gup' }, { mm, cpu }: Process): Told {
    if (start === end) return this.#answer({ ret: -1, err: 'EINVAL' })
    const known = this.#profile.rangeValidity === 'sequence' ? flags : legacyGupFlags(flags)
    this.#session.run(cpu, { do: 'get_user_pages', mm, start, end, flags: known })
    const result = returned(this.#session, cpu)
    const array = this.#session.told(cpu, 'returned')?.array ?? Table.empty
    const count = Math.max(0, Number(result['ret']))
    return numbers => ({ ...result, pages: pagesOf(this.#session.memory, array, start, count, numbers) })
  }

  /** A fresh interval notifier over the range, one call, the retry check, and the notifier is gone again. */
  #rfault(op: Op & { readonly op: 'rfault' }, { mm, cpu, driver, range: by }: Process): Told {
    const { start, end, defaultFlags, pfnFlagsMask, requests, race, ownerAt } = op
    const session = this.#session
    const owned = ownerAt === null ? null : this.#ownerAt(mm, ownerAt)
    session.run(cpu, { do: 'mmu_interval_notifier_insert', mm, who: driver, start, end })
    session.run(by, { start, end, defaultFlags, pfnFlagsMask, owned, requests, attempts: 1 }, 'mmap_read_unlock')
    session.let(by, 'driver_lock')
    const range: NotifierRange = { mm, event: 'CLEAR', start, end, blockable: true, owner: null }
    if (race) {
      session.run(cpu, { do: 'mmu_notifier_invalidate_range_start', range })
      session.run(cpu, { do: 'mmu_notifier_invalidate_range_end', range })
    }
    const [begun, walked] = [session.told(by, 'begun'), session.told(by, 'walked')]
    if (begun === undefined || walked === undefined) throw new Error('a range that has not walked')
    const { invalidate_seq } = session.contextOf(driver) as { readonly invalidate_seq: number }
    const stale = invalidate_seq === begun.seq ? {} : { stale: true }
    session.let(by)
    session.run(cpu, { do: 'mmu_interval_notifier_remove', mm, who: driver })
    const answer = walked.fail === null ? { ret: walked.ret } : { ret: -1, err: walked.fail }
    return numbers => ({ ...answer, ...stale, pfns: pfnRuns(walked.array, start, end, numbers) })
  }

  #legacyRfault(op: Op & { readonly op: 'rfault' }, by: Process): Told {
    const atEnd = this.#profile.rangeValidity === 'valid flag at the end'
    const { result, oops } = (atEnd ? vmaRangeFault : legacyRangeFault)(this.#session, op, by)
    this.#oops = oops
    return result
  }

  /** The device whose memory is mapped at a page, as far as `hmm_range_fault()` is told of it. */
  #ownerAt(name: MmName, at: Page): HmmRange['owned'] {
    const leaf = leafAt(mmOf(this.#session.memory, name), at)
    if (leaf.entry === NONE) return null
    const frame = leaf.level === 'pte' ? frameOf(leaf.entry) : frameAt(leaf, at)
    const of = Object.values(this.#session.memory.devices).find(({ first }) => frame >= first && frame < first + DEVICE_PAGES)
    return of === undefined ? null : { first: of.first, end: pfn(of.first + DEVICE_PAGES) }
  }

  #fork(): Told {
    const parent = this.#processes.get(0)
    if (parent === undefined) throw new Error('the first process is gone')
    const k = ++this.#forks
    const child: Process = { ...processNames(k), devices: new Map(parent.devices), files: new Map(parent.files) }
    this.#session.run(parent.cpu, { do: 'fork', mm: parent.mm, child: child.mm, thread: child.cpu })
    this.#processes.set(k, child)
    return this.#answer({ ret: k })
  }

  /** The calls of the plain notifier, as the recorder has logged them. */
  #events(probe: string): readonly EventRow[] {
    return this.#session.steps.flatMap(s =>
      s.calls.flatMap(({ to, event }): readonly EventRow[] => {
        if (to !== probe) return []
        const range = event as NotifierRange & { readonly type: string }
        const phase = range.type === 'invalidate_range_start' ? 'start' : 'end'
        const owned = (range.event === 'MIGRATE' || range.event === 'EXCLUSIVE') && range.owner !== null ? 1 : 0
        return [[phase, this.#profile.tellsEvents ? range.event : '?', range.start, range.end, range.blockable ? 1 : 0, owned]]
      }),
    )
  }
}
