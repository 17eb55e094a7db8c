/**
 * Device-exclusive access: pages that only a device may use for a while, so that it can do atomics (mm/rmap.c, mm/memory.c),
 * and the HMM test driver's command for it (lib/test_hmm.c).
 */
import { page, type Page, type Pfn } from '../../memory/address.ts'
import { absent, DIRTY, frameOf, isPresent, isWritable, kindOf, present, PROTNONE, WRITE, type Entry } from '../../memory/entry.ts'
import { hasPage } from '../../memory/normal-page.ts'
import { pte, type Fact } from '../../memory/facts.ts'
import {
  FOLIO_DIRTY,
  folioMapcount,
  folioSize,
  frameFlags,
  frameKind,
  headOf,
  isAnon,
  isExclusive,
  isLocked,
  POOL,
} from '../../memory/frames.ts'
import { mmOf, type Memory } from '../../memory/memory.ts'
import { leafAt } from '../../memory/pagetable.ts'
import { Table } from '../../memory/table.ts'
import { has, VM_WRITE, vmaAt, type Vma } from '../../memory/vma.ts'
import type { Catchers } from '../advance.ts'
import { readLocked, section, type At, type Folio, type Item, type Outcome, type Rules, type Scene } from '../agenda.ts'
import { batchEnd } from './dmirror.ts'
import { has as marked, MAPPED_ATOMIC, tableEntry } from './dmirror-table.ts'
import { isExclusiveEntry } from './exclusive-entry.ts'
import { pageProt } from '../faults/faulting.ts'
import { FAULT_ERRNO } from '../faults/gup.ts'
import { dirtied, referenced } from '../pages/folio.ts'
import { call } from '../offer.ts'
import { mlocked } from '../pages/lru-batch.ts'
import type { Profile } from '../profiles.ts'
import { anonPlaces } from '../pages/rmap.ts'

/** `restore_exclusive_pte()`: the process has its page again, dirty if it may write it, and not young. */
function restored(memory: Memory, { mm, page: at, folio }: At & Folio, profile: Profile): readonly Fact[] {
  const entry = mmOf(memory, mm).pte.get(at) as Entry
  const vma = vmaAt(mmOf(memory, mm).vmas, at)
  if (!isExclusiveEntry(entry) || frameOf(entry) !== folio || vma === undefined) return []
  if (kindOf(entry) === '!excl-m') return restoredMapped(memory, { mm, page: at }, frameOf(entry), vma)
  const write = kindOf(entry) === '!excl-w' ? DIRTY | (has(vma, VM_WRITE) ? WRITE : 0) : 0
  const frame = frameOf(entry)
  return [
    pte(mm, at, present((pageProt(vma) & PROTNONE) | write, frame)),
    ['maps', frame, 1, 1],
    ...mlocked(memory, vma, [['mlock', frame]], profile),
  ]
}

/** The same where the page stayed mapped: it may be written if nobody else has it, and is dirty then if the folio is. */
function restoredMapped({ frames }: Memory, { mm, page: at }: At, frame: Pfn, vma: Vma): readonly Fact[] {
  const dirty = (frameFlags(frames, headOf(frames, frame)) & FOLIO_DIRTY) === 0 ? 0 : DIRTY
  const write = has(vma, VM_WRITE) && isExclusive(frames, frame) ? WRITE | dirty : 0
  return [pte(mm, at, present((pageProt(vma) & PROTNONE) | write, frame))]
}

/** `page_make_device_exclusive_one()`: in one place, the folio's entries become exclusive ones. */
function makeExclusive(memory: Memory, { mm, start, end, folio }: Item<'page_make_device_exclusive'>, profile: Profile): readonly Fact[] {
  const table = mmOf(memory, mm).pte
  const facts: Fact[] = []
  for (let p = page(table.next(start, end)); p < end; p = page(table.next(p + 1, end))) {
    const entry = table.get(p) as Entry
    const frame = frameOf(entry)
    if (!isPresent(entry) || !hasPage(entry) || headOf(memory.frames, frame) !== folio) continue
    facts.push(pte(mm, p, absent(isWritable(entry) ? '!excl-w' : '!excl-r', frame)), ['maps', frame, 1, -1])
    if ((entry & DIRTY) !== 0) facts.push(...dirtied(memory, folio))
    const vma = vmaAt(mmOf(memory, mm).vmas, p)
    if (vma !== undefined) facts.push(...mlocked(memory, vma, [['mlock', frame]], profile))
  }
  return facts
}

/** The pages that GUP has taken, from `start` on. */
const takenUpTo = (array: Table, start: Page, end: Page): Page => page(Math.min(array.gap(start), end))

/** One page after the other: of a large folio only the first counts, and stands for all of it. */
function makeNext(memory: Memory, item: Item<'make_device_exclusive'>, { array }: Scene): Outcome {
  const { at, start, made, end } = item
  const taken = takenUpTo(array, start, end)
  if (at >= taken) return { then: [{ ...item, do: 'device_exclusive_end' }] }
  const frame = array.get(at) as Pfn
  const next = { ...item, at: page(at + 1), made }
  const { frames } = memory
  if (headOf(frames, frame) !== frame || isLocked(frames, frame) || (frameFlags(frames, frame) & POOL) !== 0) return { then: [next] }
  const kind = frameKind(frames, frame)
  if (kind !== 'anon' && kind !== 'devcoh') return { then: [next] }
  const leaf = leafAt(mmOf(memory, item.mm), at).entry
  const valid = isPresent(leaf) && frameOf(leaf) === frame && isWritable(leaf)
  return {
    facts: [['lock', frame, true]],
    then: [
      ...anonPlaces(memory, frame).map(place => ({ do: 'make_exclusive_in', folio: frame, ...place }) as const),
      { ...item, do: 'device_exclusive_check', folio: frame, valid },
    ],
  }
}

/** `make_device_exclusive()`: a page is taken for writing, and becomes exclusive if it is still mapped so. */
const oneByOne = (item: Omit<Item<'dmirror_exclusive_batch'>, 'do'>): Outcome => {
  const { who, mm, device, at, end } = item
  const next = page(at + 1)
  return {
    array: Table.empty,
    then: [
      { do: 'gup_pages', mm, at, end: next, flags: { write: true, take: 'get', splitPmd: true }, errors: 'gup', faulted: false },
      { do: 'make_page_exclusive', who, mm, device, page: at },
      ...(next < end ? ([{ do: 'dmirror_exclusive_batch', ...item, at: next }] as const) : []),
    ],
  }
}

/** Only anonymous memory that is not of the pool can be exclusive; and nobody else may be moving it. */
function lockTaken({ frames }: Memory, item: Item<'make_page_exclusive'>, { array }: Scene): Outcome {
  const { do: _, ...one } = item
  const frame = array.get(item.page) as Pfn
  const folio = headOf(frames, frame)
  if (!isAnon(frames, frame) || (frameFlags(frames, folio) & POOL) !== 0)
    return { facts: referenced(frames, [frame], -1), fail: 'EOPNOTSUPP' }
  if (isLocked(frames, folio)) return { then: [{ do: 'folio_wait_locked', folio }, item] }
  const body = [{ do: 'device_exclusive_walk', ...one, folio }] as const
  return {
    facts: [['lock', folio, true]],
    then: [
      ...section({ mm: one.mm, event: 'EXCLUSIVE', start: one.page, end: page(one.page + 1) }, body),
      { do: 'device_exclusive_store', ...one, folio },
    ],
  }
}

/** The entry gives way to an exclusive one, which still is a mapping. */
function taken(memory: Memory, { mm, page: at, folio }: Item<'device_exclusive_walk'>, frame: number): readonly Fact[] {
  const entry = mmOf(memory, mm).pte.get(at)
  if (!isPresent(entry) || !isWritable(entry) || frameOf(entry) !== frame) return []
  return [pte(mm, at, absent('!excl-m', frameOf(entry))), ...((entry & DIRTY) === 0 ? [] : dirtied(memory, folio))]
}

/** Whoever wants the page back has to lock it, and must not do so when nobody has it any more. */
function removeExclusive({ frames }: Memory, { mm, page: at, folio }: At & Folio, { bugs }: Profile): Outcome {
  const lock = { do: 'device_exclusive_lock', mm, page: at, folio } as const
  if (bugs.includes('exclusiveFaultUnreferenced')) return { then: [lock] }
  // If the folio is free, the entry is gone already.
  if (frames.refs.get(folio) === 0) return {}
  return { facts: [['refs', folio, 1, 1]], then: [lock, { do: 'put_page', folio }] }
}

function lockExclusive({ frames }: Memory, item: Item<'device_exclusive_lock'>, { exclusiveStaysMapped }: Profile): Outcome {
  const { mm, page: at, folio } = item
  if (isLocked(frames, folio)) return { then: [{ do: 'folio_wait_locked', folio }, item] }
  const range = { mm, event: exclusiveStaysMapped ? 'CLEAR' : 'EXCLUSIVE', start: at, end: page(at + 1) } as const
  const body = [
    { do: 'restore_exclusive_pte', mm, page: at, folio },
    { do: 'folio_unlock', folio },
  ] as const
  return { facts: [['lock', folio, true]], then: section(range, body) }
}

export const exclusiveRules = {
  remove_device_exclusive_entry: (memory, item, { profile }) => removeExclusive(memory, item, profile),
  device_exclusive_lock: (memory, item, { profile }) => lockExclusive(memory, item, profile),
  restore_exclusive_pte: (memory, item, { profile }) => {
    const facts = restored(memory, item, profile)
    return facts.length === 0 ? {} : { facts }
  },

  // Exclusive entries came with those of private memory; without them, nothing can be had so.
  dmirror_exclusive: (_, { who, mm, device, start, end }, { profile }) =>
    profile.devicePrivate
      ? {
          then: [
            ...readLocked(mm, [{ do: 'dmirror_exclusive_batch', who, mm, device, at: start, end }]),
            { do: 'dmirror_do', who, mm, device, start, at: start, end, access: 'read', value: 0, faults: null },
          ],
        }
      : { fail: 'EBUSY' },
  // Pages are faulted in for writing first; what can be had of a batch becomes exclusive, though it may not be all of it.
  dmirror_exclusive_batch: (_, { do: _do, ...item }, { profile }) => {
    const { who, mm, device, at, end } = item
    if (at >= end) return { array: Table.empty }
    if (profile.exclusiveStaysMapped) return oneByOne(item)
    const stop = batchEnd(at, end)
    return {
      array: Table.empty,
      then: [
        { do: 'gup_pages', mm, at, end: stop, flags: { write: true, take: 'get', splitPmd: true }, errors: 'gup', faulted: false },
        { do: 'make_device_exclusive', who, mm, device, at, start: at, end: stop, made: [] },
        { do: 'dmirror_exclusive_batch', ...item, at: stop },
      ],
    }
  },
  make_page_exclusive: (memory, item, scene) => lockTaken(memory, item, scene),
  device_exclusive_walk: (memory, item, { array }) => {
    const facts = taken(memory, item, array.get(item.page))
    return facts.length === 0 ? {} : { facts }
  },
  // The device maps it; or, if it was no longer what had been taken, all is done again.
  device_exclusive_store: (memory, { who, mm, device, page: at, folio }, { array, profile }) => {
    const facts: readonly Fact[] = [['lock', folio, false], ...referenced(memory.frames, [folio], -1)]
    const end = page(at + 1)
    if (kindOf(mmOf(memory, mm).pte.get(at)) !== '!excl-m') {
      const given = profile.bugs.includes('exclusiveRetryLeaks') ? [] : facts
      return { facts: given, then: [{ do: 'dmirror_exclusive_batch', who, mm, device, at, end }] }
    }
    const entries = Table.empty.set(at, tableEntry(array.get(at) as Pfn, MAPPED_ATOMIC))
    return { facts, calls: [call(who, 'mutex_lock'), call(who, 'xa_store', { start: at, end, entries }), call(who, 'mutex_unlock')] }
  },
  make_device_exclusive: (memory, item, scene) => makeNext(memory, item, scene),
  make_exclusive_in: (memory, { mm, start, end, folio }) => {
    if (folioMapcount(memory.frames, folio) === 0) return {}
    const size = folioSize(memory.frames, folio)
    const stop = page(Math.min(end, start + size))
    return {
      then: section({ mm, event: 'EXCLUSIVE', start, end: stop }, [{ do: 'page_make_device_exclusive', mm, start, end: stop, folio }]),
    }
  },
  page_make_device_exclusive: (memory, item, { profile }) => {
    const facts = makeExclusive(memory, item, profile)
    return facts.length === 0 ? {} : { facts }
  },
  device_exclusive_check: (memory, { do: _, folio, valid, ...item }) => {
    const isMade = valid && folioMapcount(memory.frames, folio) === 0
    return { then: [{ do: 'make_device_exclusive', ...item, at: page(item.at + 1), made: isMade ? [...item.made, item.at] : item.made }] }
  },
  // All of the batch or nothing is entered in the device's table; the locks and references of the way are given up.
  device_exclusive_end: (memory, { who, start, end, made }, { array }) => {
    const taken = takenUpTo(array, start, end)
    const frames = Array.from({ length: taken - start }, (_, i) => array.get(start + i) as Pfn)
    const facts: readonly Fact[] = [
      ...frames.filter(frame => isLocked(memory.frames, frame)).map((frame): Fact => ['lock', frame, false]),
      ...referenced(memory.frames, frames, -1),
    ]
    const all = made.length === end - start
    const entries = made.reduce((table, p) => table.set(p, tableEntry(array.get(p) as Pfn, MAPPED_ATOMIC)), Table.empty)
    const stored = taken === end ? [call(who, 'mutex_lock'), call(who, 'xa_store', { start, end, entries }), call(who, 'mutex_unlock')] : []
    return { facts, calls: stored, ...(all ? {} : { fail: 'EBUSY' }) }
  },

  dmirror_check_exclusive: (_, { who, start, end }) => ({
    calls: [call(who, 'mutex_lock'), call(who, 'xa_load'), call(who, 'mutex_unlock')],
    replied: ([, table]) => {
      for (let p = start; p < end; p = page(p + 1)) if (marked((table as Table).get(p), MAPPED_ATOMIC)) return { fail: 'EPERM' }
      return { out: { cpages: 0, faults: 0 } }
    },
  }),
} satisfies Partial<Rules>

export const exclusiveCatchers = {
  make_page_exclusive: (_, failure) => ({ fail: FAULT_ERRNO[failure] ?? failure }),
  // However many pages could be had, those become exclusive.
  make_device_exclusive: item => ({ then: [item] }),
} satisfies Catchers
