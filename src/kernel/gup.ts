/** `get_user_pages()`, and populating, which is the same without taking the pages (mm/gup.c). */
import { page, type Page, type Pfn } from '../memory/address.ts'
import type { Fact } from '../memory/facts.ts'
import { mmOf, ZERO_PFN, type Memory } from '../memory/memory.ts'
import type { Table } from '../memory/table.ts'
import { has, isAccessible, VM_SHARED, VM_WRITE, vmaAt, vmasIn, type Vma } from '../memory/vma.ts'
import { followPage, mayGup, type GupFlags } from '../walker/gup.ts'
import type { Catchers } from './advance.ts'
import { readLocked, type GupErrors, type Outcome, type Rules } from './agenda.ts'
import type { Failure } from './failure.ts'
import { dirtied, overRuns } from './zap.ts'

/** A pin counts as so many references: `GUP_PIN_COUNTING_BIAS`. */
const PIN = 1024

/** What the caller of a fault on its behalf is told: `vm_fault_to_errno()`. */
export const FAULT_ERRNO: Readonly<Partial<Record<Failure, Failure>>> = { VM_FAULT_SIGBUS: 'EFAULT', VM_FAULT_SIGSEGV: 'EFAULT' }

/** `try_grab_page()`: pinning the zero page counts nothing. */
const grabbed = (frame: Pfn, flags: GupFlags): readonly Fact[] =>
  flags.take === undefined || (flags.take === 'pin' && frame === ZERO_PFN) ? [] : [['refs', frame, 1, flags.take === 'pin' ? PIN : 1]]

const refused = (vma: Vma | undefined, flags: GupFlags, errors: GupErrors): Failure | undefined =>
  vma === undefined
    ? errors === 'populate'
      ? 'ENOMEM'
      : 'EFAULT'
    : mayGup(vma, flags)
      ? undefined
      : errors === 'populate'
        ? 'EINVAL'
        : 'EFAULT'

/** The step that the pages so far make; nothing, if there are none. */
const took = (facts: readonly Fact[], before: Table, after: Table): Outcome =>
  facts.length === 0 && before === after ? {} : { facts, array: after }

/** The pages that a call has: they stand in its array from `start` on. */
const countFrom = (array: Table, start: Page, end: Page): number => Math.min(array.gap(start), end) - start

function framesFrom(array: Table, start: Page, end: Page): readonly Pfn[] {
  return Array.from({ length: countFrom(array, start, end) }, (_, i) => array.get(start + i) as Pfn)
}

/** What a populating walk asks for: to write where only this process will see it, else to read. */
const populating = (vma: Vma): GupFlags => (has(vma, VM_WRITE) && !has(vma, VM_SHARED) ? { write: true } : { force: true })

export const gupRules = {
  // The caller holds mmap_lock throughout, and puts the pages back at once.
  get_user_pages: (_, { mm, start, end, flags }) => ({
    then: [
      ...readLocked(mm, [
        { do: 'gup_pages', mm, at: start, end, flags, errors: 'gup', faulted: false },
        { do: 'gup_end', mm, start, end },
      ]),
      { do: 'put_pages', mm, start, end, pin: flags.take === 'pin' },
    ],
  }),

  gup_pages: (memory: Memory, item, { profile, budget, array }) => {
    const { mm, end, flags, errors } = item
    const { vmas } = mmOf(memory, mm)
    const until = Math.min(end, item.at + budget)
    const facts: Fact[] = []
    const rules = { unsharesZeroPage: profile.longtermUnsharesZeroPage, tracksExclusive: profile.tracksExclusive }
    let pages = array
    for (let at = item.at; at < until; at = page(at + 1)) {
      const vma = vmaAt(vmas, at)
      const bad = refused(vma, flags, errors)
      if (vma === undefined || bad !== undefined) return { ...took(facts, array, pages), fail: bad ?? 'EFAULT' }
      const found = followPage(memory, mm, vma, at, flags, { ...rules, faulted: item.faulted && at === item.at })
      if (found.kind === 'error') return { ...took(facts, array, pages), fail: found.errno }
      if (found.kind === 'missing') {
        if (flags.nofault === true) return { ...took(facts, array, pages), fail: 'EFAULT' }
        const access = found.unshare ? 'unshare' : flags.write === true ? 'write' : 'read'
        return {
          ...took(facts, array, pages),
          then: [
            { do: 'handle_mm_fault', mm, page: at, access },
            { ...item, at, faulted: true },
          ],
        }
      }
      // FOLL_TOUCH: a page that is to be written is dirty from now on, though no entry may say so.
      if (flags.write === true && found.clean) facts.push(...dirtied(memory, found.frame))
      facts.push(...grabbed(found.frame, flags))
      if (flags.take !== undefined) pages = pages.set(at, found.frame)
    }
    return { ...took(facts, array, pages), then: until < end ? [{ ...item, at: page(until), faulted: false }] : [], cut: until < end }
  },

  // The number of pages up to the first failure; the failure itself only if there is none.
  gup_end: (_, { start, end }, { array }) => ({ ret: countFrom(array, start, end) }),
  put_pages: (_, { start, end, pin }, { array }) => {
    const frames = framesFrom(array, start, end).filter(frame => !pin || frame !== ZERO_PFN)
    return frames.length === 0 ? {} : { facts: overRuns(frames, (first, count) => [['refs', first, count, pin ? -PIN : -1]]) }
  },

  populate_vma_page_range: (memory, { mm, at, end }) => {
    const vma = vmaAt(mmOf(memory, mm).vmas, at)
    if (vma === undefined || !isAccessible(vma)) return { fail: 'EFAULT' }
    return { then: [{ do: 'gup_pages', mm, at, end, flags: populating(vma), errors: 'gup', faulted: false }] }
  },

  // Area by area; gaps are passed over.
  mm_populate: (memory, { mm, at, end }) => {
    const vma = vmasIn(mmOf(memory, mm).vmas, at, end)[0]
    if (vma === undefined) return {}
    const stop = page(Math.min(vma.end, end))
    return {
      then: [
        { do: 'populate_vma_page_range', mm, at: page(Math.max(at, vma.start)), end: stop },
        { do: 'mm_populate', mm, at: stop, end },
      ],
    }
  },
} satisfies Partial<Rules>

export const gupCatchers = {
  gup_end: (item, failure, array) => {
    const count = countFrom(array, item.start, item.end)
    return count > 0 ? { ret: count } : { fail: FAULT_ERRNO[failure] ?? failure }
  },
} satisfies Catchers
