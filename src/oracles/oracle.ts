/** Oracles say what must always hold, judged from outside: they read a world, and know nothing of how it came about. */
import type { Item } from '../kernel/agenda.ts'
import { page, type Page } from '../memory/address.ts'
import { kindOf, type EntryKind } from '../memory/entry.ts'
import { mmOf, type Memory, type MmName } from '../memory/memory.ts'
import { smallEntryAt } from '../memory/pagetable.ts'
import { Table } from '../memory/table.ts'
import type { ActorName } from '../system/actor.ts'
import type { World } from '../system/world.ts'

/** A world with names to its actors: what oracles and expectations are shown. */
export interface View {
  readonly names: readonly ActorName[]
  readonly world: World<Memory>
}

/** What is wrong with a world, in one sentence; undefined if nothing is. */
export type Oracle = (view: View) => string | undefined

/**
 * Anything that keeps a page table of its own for an address space which is there: an actor whose context has `mm` and `table`.
 * That of a file of the test driver which is being released nobody goes by any more; it goes with the file.
 */
export interface DeviceView {
  readonly name: ActorName
  readonly mm: MmName
  /** Words by page number, as `hmm_range_fault()` gave them (walker/hmm.ts). */
  readonly table: Table
}

export function devicesOf({ names, world }: View): readonly DeviceView[] {
  return world.actors.flatMap((snapshot, i) => {
    const { mm, table } = snapshot.context as Partial<DeviceView>
    return typeof mm === 'string' &&
      world.memory.mms[mm] !== undefined &&
      table instanceof Table &&
      world.memory.files[names[i] ?? '']?.released !== true
      ? [{ name: names[i] ?? '', mm, table }]
      : []
  })
}

/** What each actor has still to do in the kernel. */
export const agendasOf = ({ world }: View): readonly (readonly Item[])[] =>
  world.actors.map(({ context: { agenda = [] } }: { readonly context: { readonly agenda?: readonly Item[] } }) => agenda)

/** Entries of pages that a device has, and the CPU has not. */
const LENT: ReadonlySet<EntryKind> = new Set<EntryKind>(['!devpriv-r', '!devpriv-w', '!excl-r', '!excl-w', '!excl-m'])
export const isLent = (entry: number): boolean => LENT.has(kindOf(entry))

/** Invalidations of an address space that have begun and not ended. */
export function invalidationsInFlight({ names, world }: View, mm: MmName): number {
  const registry = world.actors[names.indexOf(`${mm}.registry`)]
  const context: { readonly active_invalidate_ranges?: number } = registry?.context ?? {}
  return context.active_invalidate_ranges ?? 0
}

/** The pages that a device maps, with what it maps there and what the CPU does, each as an entry of its own. */
export function* deviceMappings(
  view: View,
  device: DeviceView,
): Generator<{ readonly page: Page; readonly word: number; readonly entry: number }> {
  const mm = mmOf(view.world.memory, device.mm)
  for (const i of device.table.indices()) {
    const p = page(i)
    yield { page: p, word: device.table.get(p), entry: smallEntryAt(mm, p) }
  }
}
