/** `mlock()` and `munlock()` (mm/mlock.c). */
import { page } from '../../memory/address.ts'
import { frameOf, isPresent } from '../../memory/entry.ts'
import { ACTIVE } from '../../memory/frames.ts'
import { fileOf, mmOf, type Memory } from '../../memory/memory.ts'
import { findVma, has, isAnonymous, VM_HUGETLB, VM_LOCKED, VM_SPECIAL, type Vma } from '../../memory/vma.ts'
import { readLocked, writeLocked, type Rules } from '../agenda.ts'
import { drained } from '../pages/lru-batch.ts'
import { modified } from './vma.ts'

/** Areas whose pages are there anyway are populated, but not locked. */
const isUnlockable = (memory: Memory, vma: Vma): boolean =>
  has(vma, VM_SPECIAL | VM_HUGETLB) || (!isAnonymous(vma) && /^(dax|devdax)$/.test(fileOf(memory, vma.file).kind))

export const mlockRules = {
  mlock: (_, { mm, start, end }) => ({
    then: [
      ...writeLocked(mm, [{ do: 'mlock_fixup', mm, at: start, end, lock: true }]),
      ...readLocked(mm, [{ do: 'mm_populate', mm, at: start, end }]),
      // What cannot be populated is reported as memory that is not there; the areas stay locked.
      { do: 'as_errno', of: { EFAULT: 'ENOMEM', VM_FAULT_SIGBUS: 'ENOMEM', VM_FAULT_SIGSEGV: 'ENOMEM' } },
    ],
  }),
  munlock: (_, { mm, start, end }) => ({ then: writeLocked(mm, [{ do: 'mlock_fixup', mm, at: start, end, lock: false }]) }),

  // Up to the first gap; then nothing is populated.
  mlock_fixup: (memory, item) => {
    const { mm, at, end, lock } = item
    if (at >= end) return {}
    const vma = findVma(mmOf(memory, mm).vmas, at)
    if (vma === undefined || vma.start > at) return { fail: 'ENOMEM' }
    const stop = page(Math.min(vma.end, end))
    const next = { ...item, at: stop }
    if (has(vma, VM_LOCKED) === lock || isUnlockable(memory, vma)) return { then: [next] }
    return {
      then: [
        ...modified(memory, mm, vma, at, stop, vma.flags ^ VM_LOCKED),
        { do: 'mlock_vma_pages_range', mm, start: at, end: stop, lock },
        next,
      ],
    }
  },
  // Batches are drained before and after, so that none holds a page of the area; what is locked is not among those that are used.
  mlock_vma_pages_range: (memory, { mm, start, end, lock }) => {
    const { frames } = memory
    const { pte } = mmOf(memory, mm)
    const facts = [...drained(memory)]
    const until = lock ? end : start
    for (let p = pte.next(start, until); p < until; p = pte.next(p + 1, until)) {
      const frame = frameOf(pte.get(p))
      const flags = frames.lru.get(frame)
      if (isPresent(pte.get(p)) && (flags & ACTIVE) !== 0) facts.push(['lru', frame, 1, flags & ~ACTIVE])
    }
    return facts.some(fact => fact[0] === 'lru') || memory.batches.length > 0 ? { facts } : { along: facts }
  },
} satisfies Partial<Rules>
