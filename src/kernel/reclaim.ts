/** Reclaim of single pages, as `MADV_PAGEOUT` asks for it (mm/vmscan.c, mm/rmap.c). */
import { page, type Pfn } from '../memory/address.ts'
import { DIRTY, frameOf, isPresent, NONE, swapEntry } from '../memory/entry.ts'
import { cached, pte, type Fact } from '../memory/facts.ts'
import { FOLIO_DIRTY, frameFlags, frameKind, LAZYFREE, stateWord } from '../memory/frames.ts'
import { mmOf, type Frames, type Memory } from '../memory/memory.ts'
import { section, type At, type Isolated, type Rules } from './agenda.ts'
import { dirtied, unmapped } from './zap.ts'

/** The reference that isolating took, and the one of the page cache. */
const ISOLATED = 1

const maps = (memory: Memory, at: At, frame: Pfn): boolean => {
  const entry = mmOf(memory, at.mm).pte.get(at.page)
  return isPresent(entry) && frameOf(entry) === frame
}

/** References that neither a mapping, nor the page cache, nor reclaim itself accounts for: somebody uses the page. */
const inUse = (frames: Frames, { frame, file }: Isolated): boolean =>
  frames.refs.get(frame) > ISOLATED + frames.maps.get(frame) + (file === '' ? 0 : 1)

/** `try_to_unmap_one()` on a page freed lazily: dropped if it is clean still; written since, it is kept and counts again. */
function unmapLazyFree(memory: Memory, { mm, page: p, frame }: Isolated, entry: number): readonly Fact[] {
  const flags = frameFlags(memory.frames, frame)
  const clean = (entry & DIRTY) === 0 && (flags & FOLIO_DIRTY) === 0
  if (clean) return [pte(mm, p, NONE), ...unmapped([frame])]
  return [['state', frame, stateWord('anon', (flags | FOLIO_DIRTY) & ~LAZYFREE)]]
}

export const reclaimRules = {
  shrink_folio: (memory, { do: _, ...isolated }) => {
    const { mm, page: p, frame } = isolated
    // A page that is pinned, used, or not where it was is put back as it is.
    if (inUse(memory.frames, isolated) || !maps(memory, isolated, frame)) return { then: [{ do: 'reclaim_folio', ...isolated }] }
    return {
      then: [
        ...section({ mm, event: 'CLEAR', start: p, end: page(p + 1) }, [{ do: 'try_to_unmap_one', ...isolated }]),
        { do: 'reclaim_folio', ...isolated },
      ],
    }
  },

  try_to_unmap_one: (memory, { do: _, ...isolated }) => {
    const { mm, page: p, frame } = isolated
    if (!maps(memory, isolated, frame)) return {}
    const entry = mmOf(memory, mm).pte.get(p)
    if (frameKind(memory.frames, frame) === 'file') {
      return { facts: [pte(mm, p, NONE), ...((entry & DIRTY) === 0 ? [] : dirtied(memory, frame)), ...unmapped([frame])] }
    }
    if ((frameFlags(memory.frames, frame) & LAZYFREE) !== 0) return { facts: unmapLazyFree(memory, isolated, entry) }
    const slot = memory.swap.free
    return {
      facts: [['swap', slot, memory.frames.content.get(frame)], pte(mm, p, swapEntry(slot)), ...unmapped([frame])],
    }
  },

  // `pageout()` and `__remove_mapping()`: a page that nothing maps any more goes; of a file's, the dirty ones to swap.
  reclaim_folio: (memory, { do: _, ...isolated }) => {
    const { frame, file, index } = isolated
    const { frames, swap } = memory
    const putback = ['refs', frame, 1, -ISOLATED] as const
    if (file === '' || frames.maps.get(frame) > 0 || inUse(frames, isolated)) return { facts: [putback] }
    const dirty = (frameFlags(frames, frame) & FOLIO_DIRTY) !== 0
    const kept: readonly Fact[] = dirty
      ? [['swap', swap.free, frames.content.get(frame)], cached(file, index, swapEntry(swap.free))]
      : [cached(file, index, NONE)]
    return { facts: [...kept, ['refs', frame, 1, -1], putback] }
  },
} satisfies Partial<Rules>
