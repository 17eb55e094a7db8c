/**
 * `get_user_pages_fast()` (mm/gup.c; arch/x86/mm/gup.c before v4.13): a walk without mmap_lock, which takes what it finds
 * mapped and stops at the first page for which more would have to be done. The rest is left to `get_user_pages()`.
 */
import { page, PMD_PAGES, type Level, type Pfn } from '../../memory/address.ts'
import { isDying, pagemapOf } from '../../memory/dax.ts'
import { DEVMAP, frameOf, isPresent, isWritable, PROTNONE, SPECIAL, type Entry } from '../../memory/entry.ts'
import type { Fact } from '../../memory/facts.ts'
import { frameKind, headOf, isAnon, isExclusive, REFERENCED } from '../../memory/frames.ts'
import { mmOf, type Memory } from '../../memory/memory.ts'
import { frameAt, leafAt } from '../../memory/pagetable.ts'
import type { Table } from '../../memory/table.ts'
import { readLocked, type GupFast, type Item, type Outcome, type Rules, type Scene } from '../agenda.ts'
import type { Profile } from '../profiles.ts'
import { countFrom, framesFrom, grabbed, putBack } from './gup.ts'

/** What the walk does at an entry; `undo`: it gives back what it has of this page table, and stops. */
type Verdict = 'take' | 'stop' | 'undo' | 'oops'

function verdict(memory: Memory, entry: Entry, level: Level, frame: Pfn, { flags, pagemap }: GupFast, profile: Profile): Verdict {
  if (!isPresent(entry) || (entry & PROTNONE) !== 0) return 'stop'
  const devmap = (entry & DEVMAP) !== 0
  const asksForWrite = !(devmap && level === 'pte' && profile.gupFastWritesDevmap)
  if (flags.write === true && asksForWrite && !isWritable(entry)) return 'stop'
  if (devmap) {
    if (flags.longterm === true) return 'stop'
    const name = pagemapOf(frame)
    return name !== undefined && (name === pagemap || !isDying(memory, name)) ? 'take' : 'undo'
  }
  if ((entry & SPECIAL) !== 0) return 'stop'
  const { frames } = memory
  if (frameKind(frames, frame) === 'fsdax') {
    // `folio_is_longterm_pinnable()`: where pages of DAX are like others, they are asked themselves.
    if (profile.countsDaxPages) return flags.longterm === true ? 'stop' : 'take'
    // A 2 MiB entry of DAX memory that does not say so is taken for one of a large page.
    if (level === 'pmd') return 'oops'
  }
  const shares = profile.tracksExclusive && isAnon(frames, frame) && !isExclusive(frames, frameOf(entry))
  return flags.take === 'pin' && !isWritable(entry) && shares ? 'stop' : 'take'
}

/** The page map is looked up once for a page table. Where it is not kept, each page takes and drops it. */
function takes(
  memory: Memory,
  frame: Pfn,
  devmap: boolean,
  now: GupFast,
  profile: Profile,
): { readonly facts: Fact[]; readonly now: GupFast } {
  const pagemap = devmap ? (pagemapOf(frame) ?? null) : null
  const page = grabbed(memory.frames, [frame], now.flags.take, profile)
  if (pagemap === null) return { facts: [...page], now }
  const gets = !profile.gupCachesPagemap || now.pagemap !== pagemap
  return {
    facts: [
      ...(gets ? ([['pagemap', pagemap, 1]] as const) : []),
      ...page,
      ...(profile.gupCachesPagemap ? [] : ([['pagemap', pagemap, -1]] as const)),
    ],
    now: { ...now, pagemap },
  }
}

/** `SetPageReferenced()`, of pages that reclaim knows. */
const referencedBy = ({ frames }: Memory, frame: Pfn): readonly Fact[] => {
  const head = headOf(frames, frame)
  const flags = frames.lru.get(head)
  return frameKind(frames, head) !== 'anon' || (flags & REFERENCED) !== 0 ? [] : [['lru', head, 1, flags | REFERENCED]]
}

/** The page map that is kept for a page table is put at its end. */
const putPagemap = ({ pagemap }: GupFast, { gupCachesPagemap }: Profile): readonly Fact[] =>
  pagemap !== null && gupCachesPagemap ? [['pagemap', pagemap, -1]] : []

const acts = (facts: readonly Fact[], before: Table, array: Table, rest: Outcome): Outcome =>
  facts.length === 0 && before === array ? rest : { facts, array, ...rest }

/** The walk is over: what it did not get is left to `get_user_pages()`. */
const stop = ({ mm, start, end, flags }: GupFast): Outcome => ({ then: [{ do: 'gup_fast_slow', mm, start, end, flags }] })

/** `undo_dev_pagemap()`: nothing of this page table is kept. */
function undo(
  memory: Memory,
  now: GupFast,
  array: Table,
  facts: readonly Fact[],
  profile: Profile,
): { readonly facts: readonly Fact[]; readonly array: Table } {
  const list = framesFrom(array, now.run, now.at)
  return {
    facts: [...facts, ...putBack(memory.frames, list, now.flags.take, profile)],
    array: array.setRange(now.run, now.at - now.run, 0, 0),
  }
}

/** One page further; a page map is not kept over the end of a page table. */
function further(now: GupFast, profile: Profile): { readonly facts: readonly Fact[]; readonly now: GupFast } {
  const at = page(now.at + 1)
  return at % PMD_PAGES === 0
    ? { facts: putPagemap(now, profile), now: { ...now, at, run: at, pagemap: null } }
    : { facts: [], now: { ...now, at } }
}

function walk(memory: Memory, item: Item<'gup_pte_range'>, { profile, budget, array }: Scene): Outcome {
  const { do: _, ...from } = item
  let now: GupFast = from
  const until = Math.min(now.end, now.at + budget)
  const facts: Fact[] = []
  let pages = array
  while (now.at < until) {
    const leaf = leafAt(mmOf(memory, now.mm), now.at)
    const frame = frameAt(leaf, now.at)
    const does = verdict(memory, leaf.entry, leaf.level, frame, now, profile)
    if (does === 'oops') return { fail: 'oops: gup_huge_pmd' }
    if (does === 'undo') {
      const undone = undo(memory, now, pages, facts, profile)
      return acts([...undone.facts, ...putPagemap(now, profile)], array, undone.array, stop(now))
    }
    if (does === 'stop') return acts([...facts, ...putPagemap(now, profile)], array, pages, stop(now))
    // While others may change the entry, that it was read is a step of its own.
    if (profile.gupFastRechecks && budget === 1)
      return { facts: [], then: [{ ...now, do: 'gup_fast_grab', entry: leaf.entry, frame }], cut: true }
    const taken = takes(memory, frame, (leaf.entry & DEVMAP) !== 0, now, profile)
    const next = further(taken.now, profile)
    facts.push(...taken.facts, ...referencedBy(memory, frame), ...next.facts)
    pages = pages.set(now.at, frame)
    now = next.now
  }
  if (now.at < now.end) return { facts, array: pages, then: [{ ...now, do: 'gup_pte_range' }], cut: true }
  return acts([...facts, ...putPagemap(now, profile)], array, pages, stop(now))
}

/** The page map and the page are taken for an entry that was read before: `try_grab_folio()`, unless it is nobody's any more. */
function grab(memory: Memory, item: Item<'gup_fast_grab'>, { profile, array }: Scene): Outcome {
  const { do: _, entry, frame, ...now } = item
  const devmap = (entry & DEVMAP) !== 0
  if (devmap && verdict(memory, entry, 'pte', frame, now, profile) === 'undo') {
    const undone = undo(memory, now, array, [], profile)
    return acts([...undone.facts, ...putPagemap(now, profile)], array, undone.array, stop(now))
  }
  if (memory.frames.refs.get(headOf(memory.frames, frame)) === 0) return acts(putPagemap(now, profile), array, array, stop(now))
  const taken = takes(memory, frame, devmap, now, profile)
  return { facts: taken.facts, then: [{ ...taken.now, do: 'gup_fast_recheck', entry, frame }] }
}

/** An entry that has changed meanwhile: the page is put back. */
function recheck(memory: Memory, item: Item<'gup_fast_recheck'>, { profile, array }: Scene): Outcome {
  const { do: _, entry, frame, ...now } = item
  const mm = mmOf(memory, now.mm)
  const found = profile.bugs.includes('gupFastRechecksPteAlone') ? mm.pte.get(now.at) : leafAt(mm, now.at).entry
  if (found !== entry)
    return { facts: [...putBack(memory.frames, [frame], now.flags.take, profile), ...putPagemap(now, profile)], ...stop(now) }
  const next = further(now, profile)
  return {
    facts: [...referencedBy(memory, frame), ...next.facts],
    array: array.set(now.at, frame),
    then: [{ ...next.now, do: 'gup_pte_range' }],
  }
}

export const gupFastRules = {
  get_user_pages_fast: (_, { mm, start, end, flags }) => ({
    then: [{ do: 'gup_pte_range', mm, at: start, start, end, flags, run: start, pagemap: null }],
  }),
  gup_pte_range: walk,
  gup_fast_grab: grab,
  gup_fast_recheck: recheck,
  gup_fast_slow: (_, { mm, start, end, flags }, { array }) => {
    const at = page(start + countFrom(array, start, end))
    const rest = [
      { do: 'gup_pages', mm, at, end, flags, errors: 'gup', faulted: false },
      { do: 'gup_end', mm, start, end },
    ] as const
    const puts = { do: 'put_pages', mm, start, end, take: flags.take } as const
    return at === end ? { ret: end - start, then: [puts] } : { then: [...readLocked(mm, rest), puts] }
  },
} satisfies Partial<Rules>
