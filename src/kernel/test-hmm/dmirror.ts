/** The HMM test driver's reads, writes and faults (lib/test_hmm.c): what any driver does, with a page table of its own. */
import { page, type Page, type Pfn } from '../../memory/address.ts'
import { frameKind } from '../../memory/frames.ts'
import type { Memory } from '../../memory/memory.ts'
import { DEVICE_PAGES } from '../../memory/memory.ts'
import { Table } from '../../memory/table.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE, type HmmRange } from '../../walker/hmm.ts'
import { frameOf } from '../../memory/entry.ts'
import { readLocked, type Agenda, type DmirrorPages, type Item, type Mirror, type Outcome, type Rules } from '../agenda.ts'
import { BACKED, has, MAPPED_WRITE, mappedFrame, tableEntry } from './dmirror-table.ts'
import { contents } from '../pages/folio.ts'
import { registryOf } from '../names.ts'
import { call } from '../offer.ts'

/** Pages of one round of faulting, or of one batch of anything. */
export const BATCH = 64
export const batchEnd = (at: Page, end: Page): Page => page(Math.min(at + BATCH, end))

const mirrorOf = ({ who, mm, device }: Mirror): Mirror => ({ who, mm, device })

/** The device's own private memory, which it is told of where it lies. */
export const ownedBy = (memory: Memory, device: string): HmmRange['owned'] => {
  const own = memory.devices[device]
  return own === undefined || own.kind !== 'devpriv' ? null : { first: own.first, end: (own.first + DEVICE_PAGES) as Pfn }
}

/** The driver has private memory mapped nowhere: it dies where it touches it. */
const dies = (memory: Memory, entry: number): boolean => frameKind(memory.frames, mappedFrame(entry)) === 'devpriv' && !has(entry, BACKED)

/** As many pages as the table has entries for, and the budget reaches; behind them, what is missing is faulted in. */
function doPages(memory: Memory, item: Item<'dmirror_do_pages'>, budget: number, array: Table): Outcome {
  const until = Math.min(item.end, item.at + budget)
  return {
    calls: [call(item.who, 'xa_load')],
    replied: ([table]) => {
      const entries = table as Table
      let filled = array
      const frames: Pfn[] = []
      let at: Page = item.at
      for (; at < until; at = page(at + 1)) {
        const entry = entries.get(at)
        if (entry === 0 || (item.access === 'write' && (!has(entry, MAPPED_WRITE) || has(entry, 4)))) break
        if (dies(memory, entry)) return { fail: item.access === 'read' ? 'oops: dmirror_do_read' : 'oops: dmirror_fops_unlocked_ioctl' }
        frames.push(mappedFrame(entry))
        if (item.access === 'read') filled = filled.set(at, memory.frames.content.get(mappedFrame(entry)))
      }
      const { do: _, ...pages } = item
      const rest =
        at === until && until < item.end
          ? ([{ ...item, at, value: item.value + (at - item.at) }] as const)
          : over({ ...pages, at, value: item.value + (at - item.at) })
      const copy: Agenda = item.access === 'write' && frames.length > 0 ? [{ ...pages, do: 'dmirror_memcpy', frames }] : []
      return { array: filled, then: [...copy, ...rest] }
    },
    cut: until < item.end,
  }
}

/** At the end, or where the table ends. */
function over(pages: DmirrorPages): Agenda {
  const { at, end, start, faults } = pages
  const unlock = { do: 'dmirror_mutex_unlock', ...mirrorOf(pages) } as const
  if (at >= end) return [unlock, { do: 'dmirror_done', cpages: end - start, faults: faults ?? 0 }]
  if (faults === null) return [unlock, { do: 'fail', failure: 'ENOENT' }]
  return [
    unlock,
    { do: 'dmirror_fault', ...mirrorOf(pages), at, end, write: pages.access === 'write' },
    { do: 'dmirror_do', ...pages, faults: faults + 1 },
  ]
}

/** What `hmm_range_fault()` found, as the device maps it. */
export const faulted = (array: Table, start: Page, end: Page): Table =>
  Table.empty.update(start, end - start, (_, p) => {
    const found = array.get(p)
    return (found & HMM_PFN_VALID) === 0 ? 0 : tableEntry(frameOf(found), found & HMM_PFN_WRITE)
  })

/** Begins to read what may be invalidated: the sequence, and a wait if an invalidation is in flight. */
export const readBegin = (who: string, mm: string, then: (seq: number) => Agenda): Outcome => ({
  calls: [call(who, 'read_begin'), call(registryOf(mm), 'mmu_interval_read_begin')],
  replied: ([seq, current]) => ({
    then: [...(seq === current ? ([{ do: 'wait_event', mm, seq: seq as number, ret: 0 }] as const) : []), ...then(seq as number)],
  }),
})

export const dmirrorRules = {
  dmirror_read: (_, { who, mm, device, start, end }) => ({
    then: [{ do: 'dmirror_do', who, mm, device, start, at: start, end, access: 'read', value: 0, faults: 0 }],
  }),
  dmirror_write: (_, { who, mm, device, start, end, value }) => ({
    then: [{ do: 'dmirror_do', who, mm, device, start, at: start, end, access: 'write', value, faults: 0 }],
  }),
  dmirror_do: (_, { do: _do, ...pages }) => ({ calls: [call(pages.who, 'mutex_lock')], then: [{ do: 'dmirror_do_pages', ...pages }] }),
  dmirror_do_pages: (memory, item, { budget, array }) => doPages(memory, item, budget, array),
  dmirror_memcpy: (memory, { frames, value }) => {
    const facts = contents(
      memory.frames,
      frames.map((frame, i) => [frame, value + i]),
    )
    return facts.length === 0 ? {} : { facts }
  },
  dmirror_mutex_unlock: (_, { who }) => ({ calls: [call(who, 'mutex_unlock')] }),
  dmirror_done: (_, { cpages, faults }) => ({ out: { cpages, faults } }),

  dmirror_fault: (_, { do: _do, ...item }) => {
    const { at, end, write } = item
    if (at >= end) return {}
    const stop = batchEnd(at, end)
    return {
      then: [
        { do: 'dmirror_range_fault', ...mirrorOf(item), start: at, end: stop, write },
        { do: 'dmirror_fault', ...item, at: stop },
      ],
    }
  },
  dmirror_range_fault: (memory, { do: _do, ...item }) => {
    const { who, mm, device, start, end, write } = item
    const defaultFlags = write ? HMM_PFN_VALID | HMM_PFN_WRITE : HMM_PFN_VALID
    const range: HmmRange = { start, end, defaultFlags, pfnFlagsMask: 0, owned: ownedBy(memory, device) }
    return readBegin(who, mm, seq => [
      ...readLocked(mm, [{ do: 'hmm_range_fault', mm, range, last: start, stale: call(who, 'check_retry', { seq }) }]),
      { do: 'as_errno', of: { EINVAL: 'EFAULT' } },
      { do: 'dmirror_do_fault', ...item, seq },
      { do: 'if_busy', then: [{ do: 'dmirror_range_fault', ...item }] },
    ])
  },
  // A page that was wanted for writing and came without ends it there: one of the device's own that is read-only.
  dmirror_do_fault: (_, { do: _do, ...item }, { array }) => {
    const { seq, ...again } = item
    const { start, end, write } = item
    const comes = (p: Page): boolean => !write || (array.get(p) & HMM_PFN_WRITE) !== 0
    let stop = start
    while (stop < end && comes(stop)) stop = page(stop + 1)
    return {
      calls: [call(item.who, 'mutex_lock'), call(item.who, 'read_retry', { seq })],
      replied: ([, stale]) => ({
        then:
          stale === true
            ? [
                { do: 'dmirror_mutex_unlock', ...mirrorOf(item) },
                { do: 'dmirror_range_fault', ...again },
              ]
            : [{ do: 'dmirror_store', ...mirrorOf(item), start: item.start, end: item.end, write: item.write }],
      }),
    }
  },
  // A page that was to be written, and may not be, ends it: those before it are in the table.
  dmirror_store: (_, { who, start, end, write }, { array }) => {
    const mayStore = (p: Page): boolean => !write || (array.get(p) & HMM_PFN_WRITE) !== 0
    let stop: Page = start
    while (stop < end && mayStore(stop)) stop = page(stop + 1)
    return {
      calls: [call(who, 'xa_store', { start, end: stop, entries: faulted(array, start, stop) }), call(who, 'mutex_unlock')],
      ...(stop < end ? { fail: 'EFAULT' } : {}),
    }
  },
} satisfies Partial<Rules>
