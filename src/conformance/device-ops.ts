/** The ops on devices of the HMM test driver: opened by a number of the recorder's own, and commanded through that. */
import type { DmirrorContext } from '../../machines/dmirror.ts'
import type { SystemCalls } from '../kernel/agenda.ts'
import { mappedFrame } from '../kernel/test-hmm/dmirror-table.ts'
import { mirrorName } from '../kernel/names.ts'
import { page, type Page } from '../memory/address.ts'
import { isDevdax } from '../memory/dax.ts'
import { frameOf, isSwap, NONE } from '../memory/entry.ts'
import type { MmName } from '../memory/memory.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import type { Process } from './actors.ts'
import { returned } from './iv-ops.ts'
import { runLengths } from './observe.ts'
import type { DeviceOp, Op } from './ops.ts'
import type { Result } from './recording.ts'
import type { Session } from './session.ts'

const COMMANDS: Readonly<Record<DeviceOp, keyof SystemCalls & `dmirror_${string}`>> = {
  dread: 'dmirror_read',
  dwrite: 'dmirror_write',
  dtodev: 'dmirror_migrate_to_device',
  dtosys: 'dmirror_migrate_to_system',
  dsnap: 'dmirror_snapshot',
  dexcl: 'dmirror_exclusive',
  dchk: 'dmirror_check_exclusive',
  drel: 'dmirror_release',
}
/** Those that hand pages to their caller. */
const READS: ReadonlySet<DeviceOp> = new Set<DeviceOp>(['dread', 'dtodev', 'dexcl', 'dsnap'])

/** What a command answered, and which of the values that it read cannot be known. */
export interface Commanded {
  readonly result: Result
  readonly unknown: readonly number[]
  /** It never came back: it waits for something that nobody will do. */
  readonly hangs: boolean
}
const plain = (result: Result): Commanded => ({ result, unknown: [], hangs: false })

export class DeviceOps {
  readonly #session: Session
  #mirrors = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** Opens a device: the name of the open file, and what the call answers. */
  open(by: Process, device: number): { readonly who: string; readonly result: Result } {
    const who = mirrorName(this.#mirrors++)
    this.#session.run(by.cpu, { do: 'dmirror_open', who, mm: by.mm, device: `hmm_dmirror${device}` })
    return { who, result: returned(this.#session, by.cpu) }
  }

  close(by: Process, fd: number): Result {
    const file = by.devices.get(fd)
    if (file === null) return { ret: -1, err: 'EBADF' }
    by.devices.set(fd, null)
    if (file === undefined) return { ret: 0 }
    this.#session.run(by.cpu, { do: 'close', mm: by.mm, file })
    return returned(this.#session, by.cpu)
  }

  /** A command works on the process that opened the device, whoever asks. */
  command({ op, fd, start, end, value }: Op & { readonly op: DeviceOp }, by: Process): Commanded {
    const who = by.devices.get(fd)
    const mirror = who === undefined || who === null ? undefined : this.#session.memory.files[who]?.mirror
    if (who === undefined || who === null || mirror === undefined || mirror === null)
      return plain({ ret: -1, err: who === null ? 'EBADF' : 'ENOTTY' })
    this.#session.give(by.cpu, { do: COMMANDS[op], who, ...mirror, start, end, value })
    if (!this.#session.let(by.cpu)) return { result: {}, unknown: [], hangs: true }
    const told = this.#session.told(by.cpu, 'returned')
    if (told === undefined) return plain({})
    const result = returned(this.#session, by.cpu)
    if (result['err'] !== undefined) return plain(result)
    const { out, array } = told
    const counts = { cpages: out['cpages'] ?? 0, faults: out['faults'] ?? 0 }
    if (!READS.has(op)) return plain({ ...result, ...counts })
    const val = runLengths(Array.from({ length: end - start }, (_, i) => array.get(start + i)))
    return { ...plain({ ...result, ...counts, val }), unknown: op === 'dsnap' ? [] : this.#staleIn(who, mirror.mm, start, end) }
  }

  /** Pages, counted from `start`, of which a mirror has another frame than the process, or one that nobody has written yet. */
  #staleIn(who: string, name: MmName, start: Page, end: Page): readonly number[] {
    const { memory } = this.#session
    const { table } = this.#session.contextOf(who) as DmirrorContext
    const mm = memory.mms[name]
    if (mm === undefined) return []
    return Array.from({ length: end - start }, (_, i) => i).filter(i => {
      const [entry, word] = [smallEntryAt(mm, page(start + i)), table.get(start + i)]
      const stale = entry === NONE || isSwap(entry) || frameOf(entry) !== mappedFrame(word)
      return word !== 0 && (stale || isUnwritten(this.#session, mappedFrame(word)))
    })
  }
}

/** The device of 1 GiB keeps what earlier programs have written into it: no program alone can know that. */
const isUnwritten = ({ memory }: Session, frame: number): boolean => isDevdax(frame) && memory.frames.content.get(frame) === 0
