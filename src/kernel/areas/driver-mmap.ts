/**
 * What drivers do when they are mapped (`call_mmap()`): they fill the area at once, with pages of their own (`vm_insert_page()`, as
 * `dmirror_fops_mmap()` does), or with frames that no page is to be looked for behind (`vmf_insert_mixed()`, `remap_pfn_range()`).
 */
import { page, pfn, type Pfn } from '../../memory/address.ts'
import { frameOf, isPresent, present } from '../../memory/entry.ts'
import { cached, pte, tablesTo, type Fact } from '../../memory/facts.ts'
import { stateWord } from '../../memory/frames.ts'
import { fileOf, mmOf, type Memory } from '../../memory/memory.ts'
import { hasPage, MMIO_FIRST } from '../../memory/normal-page.ts'
import { VM_MIXEDMAP, vmaAt, type Vma } from '../../memory/vma.ts'
import type { Item, Outcome } from '../agenda.ts'
import { pageProt, special } from '../faults/faulting.ts'
import { freeFrames } from '../pages/folio.ts'
import type { Profile } from '../profiles.ts'
import { vmasFact } from './vma.ts'

/** What backs a mapping of the probe driver is chosen by the offset at which it is mapped. */
export const PROBE_PFNMAP = 0
export const PROBE_INSERT = 1
export const PROBE_SPECIAL = 2
/** What no `struct page` stands for, whatever entries can say. */
export const PROBE_REGISTERS = 3
/** Its frames, used in turn. */
const PROBE_PAGES = 16

export function fill(memory: Memory, item: Item<'call_mmap'>, profile: Profile): Outcome {
  const vma = vmaAt(mmOf(memory, item.mm).vmas, item.start)
  if (vma === undefined) return {}
  if (fileOf(memory, vma.file).kind === 'test_hmm' || item.pgoff === PROBE_INSERT) return inserted(memory, item, vma)
  // Where entries cannot say that there is no page behind them, only what has none can be mapped so.
  const registers = item.pgoff === PROBE_REGISTERS || (item.pgoff === PROBE_PFNMAP && !profile.pteSpecial)
  return raw(memory, item, vma, profile, registers)
}

const pagesOf = ({ start, end }: Pick<Item<'call_mmap'>, 'start' | 'end'>): readonly ReturnType<typeof page>[] =>
  Array.from({ length: end - start }, (_, i) => page(start + i))

/** The tables that entries for these pages need, each once. */
const tablesFor = (memory: Memory, { mm, start, end }: Item<'call_mmap'>): readonly Fact[] => [
  ...new Map(
    pagesOf({ start, end })
      .flatMap(p => tablesTo(memory, mm, p, 'pte'))
      .map(fact => [JSON.stringify(fact), fact]),
  ).values(),
]

/**
 * New pages, zeroed, one after the other. The driver gives up its own reference to each, so that the mapping has the only one. If a
 * page cannot be had, or is not taken, the mapping fails, and those before it go with the area.
 */
function inserted(memory: Memory, item: Item<'call_mmap'>, vma: Vma): Outcome {
  const { mm, start, end, fails } = item
  const mixed = { ...vma, flags: vma.flags | VM_MIXEDMAP }
  const vmas = mmOf(memory, mm).vmas.map(v => (v === vma ? mixed : v))
  const free = freeFrames(memory.frames)
  const done = pagesOf({ start, end: fails === undefined ? end : page(Math.min(end, start + fails.page)) })
  const facts = [
    vmasFact(memory, mm, vmas),
    ...tablesFor(memory, item),
    ...done.flatMap((p): readonly Fact[] => {
      const frame = free.next().value as Pfn
      return [['alloc', frame, stateWord('driver'), 1, 1, 0, 0, 0], pte(mm, p, present(pageProt(vma), frame))]
    }),
  ]
  if (fails === undefined) return { facts }
  const failure = fails.in === 'alloc_page' ? 'ENOMEM' : 'EBUSY'
  return {
    facts,
    then: [
      { do: 'detach_vmas', mm, start, end, downgrade: false },
      { do: 'fail', failure },
    ],
  }
}

/** Frames that the driver keeps, or registers; without a bit for it, memory is mapped so as pages are, and counted. */
function raw(memory: Memory, item: Item<'call_mmap'>, vma: Vma, profile: Profile, registers: boolean): Outcome {
  const { mm } = item
  const { cache } = fileOf(memory, vma.file)
  const pages = pagesOf(item)
  const free = freeFrames(memory.frames)
  const made: Fact[] = []
  const frames = Array.from({ length: Math.min(PROBE_PAGES, pages.length) }, (_, i) => {
    if (registers) return pfn(MMIO_FIRST + i)
    const known = cache.get(i)
    if (isPresent(known)) return frameOf(known)
    const frame = free.next().value as Pfn
    made.push(['alloc', frame, stateWord('driver'), 1, 0, 0, 0, 0], cached(vma.file, i, present(0, frame)))
    return frame
  })
  const entries = pages.flatMap((p, i): readonly Fact[] => {
    const frame = frames[i % PROBE_PAGES] as Pfn
    const entry = present(pageProt(vma) | special(profile), frame)
    const counted: readonly Fact[] = hasPage(entry)
      ? [
          ['maps', frame, 1, 1],
          ['refs', frame, 1, 1],
        ]
      : []
    return [...counted, pte(mm, p, entry)]
  })
  return { facts: [...made, ...tablesFor(memory, item), ...entries] }
}
