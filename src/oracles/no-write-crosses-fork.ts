/**
 * What processes share since a fork is nobody's to write: neither through an entry nor by a device of one of them, and also where one
 * of them has the page only by `get_user_pages()`.
 */
import type { Work } from '../kernel/advance.ts'
import { page, type Pfn } from '../memory/address.ts'
import { frameOf, isPresent, isWritable, NEXT_FRAME } from '../memory/entry.ts'
import { frameKind } from '../memory/frames.ts'
import { hasPage } from '../memory/normal-page.ts'
import type { MmName } from '../memory/memory.ts'
import { MAPPED_ATOMIC } from '../kernel/test-hmm/dmirror-table.ts'
import { HMM_PFN_WRITE } from '../walker/hmm.ts'
import { deviceMappings, devicesOf, type Oracle, type View } from './oracle.ts'

/** A device may write what it has to itself, whatever its table says besides. */
const DEVICE_WRITES = HMM_PFN_WRITE | MAPPED_ATOMIC

/** A way to a frame of anonymous memory: whose process's, by what, and whether it may be written so. */
interface Way {
  readonly frame: Pfn
  readonly mm: MmName
  readonly by: string
  readonly writes: boolean
}

function* entryWays({ world: { memory } }: View, wanted: (entry: number) => boolean): Generator<Way> {
  for (const [mm, { pte }] of Object.entries(memory.mms)) {
    for (const [first, count, entry, stride] of pte.runs()) {
      // Entries of consecutive frames are alike in everything else.
      if (stride === NEXT_FRAME && !wanted(entry)) continue
      for (let p = first; p < first + count; p++) {
        const each = pte.get(p)
        if (wanted(each) && hasPage(each)) yield { frame: frameOf(each), mm, by: `${mm} maps`, writes: isWritable(each) }
      }
    }
  }
}

function* deviceWays(view: View): Generator<Way> {
  for (const device of devicesOf(view)) {
    for (const { word } of deviceMappings(view, device))
      yield { frame: frameOf(word), mm: device.mm, by: `${device.name} maps`, writes: (word & DEVICE_WRITES) !== 0 }
  }
}

/** Pages that a call has taken, and not put back. */
function* takenWays({ names, world: { actors } }: View): Generator<Way> {
  for (const [i, { context }] of actors.entries()) {
    const { agenda = [], array }: Partial<Work> = context
    const puts = agenda.find(item => item.do === 'put_pages')
    if (puts?.do !== 'put_pages' || array === undefined) continue
    for (let p = puts.start; p < puts.end && array.get(p) !== 0; p = page(p + 1))
      yield { frame: array.get(p) as Pfn, mm: puts.mm, by: `${names[i] ?? ''} has taken`, writes: false }
  }
}

export const noWriteCrossesFork: Oracle = view => {
  const { frames, mms } = view.world.memory
  if (Object.keys(mms).length < 2) return undefined
  const others = [...deviceWays(view), ...takenWays(view)]
  const elsewhere = new Set(others.map(({ frame }) => frame))
  const writers = new Map<Pfn, Way>()
  for (const ways of [entryWays(view, entry => isPresent(entry) && isWritable(entry)), others.filter(way => way.writes)]) {
    for (const way of ways) {
      const isShared = frames.maps.get(way.frame) > 1 || elsewhere.has(way.frame)
      if (isShared && frameKind(frames, way.frame) === 'anon') writers.set(way.frame, way)
    }
  }
  if (writers.size === 0) return undefined
  for (const ways of [entryWays(view, isPresent), others]) {
    for (const { frame, mm, by } of ways) {
      const writing = writers.get(frame)
      if (writing !== undefined && writing.mm !== mm) return `${writing.by} frame ${frame}, and may write it, while ${by} it for ${mm}`
    }
  }
  return undefined
}
