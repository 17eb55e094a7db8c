/** The HMM test driver's files being opened and closed, and device memory being given up (lib/test_hmm.c). */
import { page, PAGE_LIMIT, pfn, type Pfn } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { frameKind, headOf, isLarge, isLocked } from '../../memory/frames.ts'
import { deviceFirst, DEVICE_PAGES, mmOf, type Memory } from '../../memory/memory.ts'
import type { Agenda, Migration, Mirror, Outcome, Rules } from '../agenda.ts'
import { migrateWord } from '../pages/migrate-words.ts'
import { ownerOf } from '../pages/migrated.ts'
import { LRU_ADD_DRAIN } from '../pages/lru-batch.ts'
import { FOLIO_LOCK, registryOf } from '../names.ts'
import type { Profile } from '../profiles.ts'
import { call } from '../offer.ts'

/** Devices 0 and 1 have private memory, 2 and 3 coherent memory. */
const numberOf = (device: string): number => Number(device.slice('hmm_dmirror'.length))
const isPrivate = (device: string): boolean => numberOf(device) < 2

/** The memory of a device is there from its first use on. */
export const devmem = (memory: Memory, device: string, profile: Profile): readonly Fact[] =>
  memory.devices[device] !== undefined || !hasMemory(device, profile)
    ? []
    : [['device', device, isPrivate(device) ? 'devpriv' : 'devcoh', deviceFirst(numberOf(device))]]

/** A kernel that knows no such memory has none for the device: it mirrors, and nothing can be moved to it. */
const hasMemory = (device: string, { devicePrivate, zoneDevice, coherentMemory }: Profile): boolean =>
  isPrivate(device) ? devicePrivate : zoneDevice && coherentMemory

/** The frames of the device that are in use, and that nobody is about to move. */
const usedFrames = ({ frames }: Memory, first: Pfn): readonly Pfn[] =>
  [...frames.refs.indices(first, first + DEVICE_PAGES)].map(pfn).filter(frame => !isLocked(frames, frame))

/** `migrate_device_range()`: frames of a device, by number, wherever they are mapped. */
function migrateFrames(memory: Memory, { who, mm, device }: Mirror, frames: readonly Pfn[]): Outcome {
  const own = memory.devices[device]
  if (own === undefined) return {}
  if (frames.length === 0) return { then: LRU_ADD_DRAIN }
  const select = own.kind === 'devpriv' ? 'private' : 'coherent'
  const migration: Migration = { mm, start: page(0), end: page(frames.length), select, owner: device, faultPage: pfn(0), who, way: 'evict' }
  // Of a large folio, its first frame stands for all.
  const isHead = (frame: Pfn): boolean => headOf(memory.frames, frame) === frame
  const src = frames.map(frame => (isHead(frame) ? migrateWord(frame, false, isLarge(memory.frames, frame)) : 0))
  return {
    facts: frames.filter(isHead).flatMap((frame): readonly Fact[] => [
      ['refs', frame, 1, 1],
      ['lock', frame, true],
    ]),
    then: [...LRU_ADD_DRAIN, { do: 'migrate_device_unmap', migration, src, at: 0 }],
  }
}

/** `dmirror_fops_release()` */
export const released = ({ who, mm, device }: Mirror, { bugs }: Profile): Agenda => [
  { do: 'mmu_interval_notifier_remove', mm, who },
  ...(bugs.includes('closeKeepsMemory') ? [] : ([{ do: 'dmirror_evict', who, mm, device }] as const)),
  { do: 'driver_call', to: who, event: { type: 'closed' } },
  { do: 'dmirror_free', who, mm, device },
]

/** `dmirror_fops_open()`: what the new file mirrors is all memory of who opens it. */
const opened = (memory: Memory, { who, mm, device }: Mirror, profile: Profile): Outcome => ({
  facts: [
    ...devmem(memory, device, profile),
    ['file', who, { kind: 'test_hmm', size: 0, mirror: { mm, device } }],
    ['open', mm, [...mmOf(memory, mm).open, who]],
  ],
  calls: [
    call(registryOf(mm), 'mmu_interval_notifier_insert', { who, start: 0, end: PAGE_LIMIT }),
    ([seq]) => call(who, 'opened', { mm, device, seq }),
  ],
})

export const dmirrorFileRules = {
  dmirror_open: (memory, item, { profile }) =>
    isPrivate(item.device) || profile.coherentDevices ? opened(memory, item, profile) : { fail: 'ENOENT' },
  dmirror_free: (_, { who }) => ({ facts: [['file', who, null]] }),
  dmirror_release: (_, { do: _do, ...mirror }) => ({
    then: [
      { do: 'dmirror_evict', ...mirror },
      { do: 'dmirror_devmem_reset', ...mirror },
    ],
  }),
  dmirror_evict: (memory, item) => {
    const own = memory.devices[item.device]
    return own === undefined ? {} : migrateFrames(memory, item, usedFrames(memory, own.first))
  },
  migrate_device_coherent_page: (memory, { folio, mm }) => {
    const device = ownerOf(memory, folio)
    if (device === undefined) return {}
    const migrated = migrateFrames(memory, { who: device, mm, device }, [folio])
    return { ...migrated, then: [...(migrated.then ?? []), { do: 'migrated_or_busy', folio }] }
  },
  // Somebody else uses it.
  migrated_or_busy: (memory, { folio }) => (frameKind(memory.frames, folio) === 'devcoh' ? { fail: 'EBUSY' } : {}),
  // The memory is given back to the system; what is made of it at the next use begins anew.
  dmirror_devmem_reset: (memory, { device }) => {
    const own = memory.devices[device]
    // `memunmap_pages()` waits until nobody has any page of it: for ever, if one could not be moved.
    const [used] = own === undefined ? [] : usedFrames(memory, own.first)
    if (used !== undefined) return { calls: [call(FOLIO_LOCK, 'put_page', { folio: used })] }
    return own === undefined ? {} : { facts: [['device', device, own.kind, own.first]] }
  },
} satisfies Partial<Rules>
