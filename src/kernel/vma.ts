/** Areas being split, merged and changed (mm/vma.c, mm/mmap.c): pure functions over the list of an address space. */
import { isPmdAligned, indexAt, page, pmdEnd, pmdStart, type Page } from '../memory/address.ts'
import { NONE } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import type { Mm, MmName } from '../memory/memory.ts'
import { pagesOf, partOf, VM_ACCESS_FLAGS, type Vma } from '../memory/vma.ts'
import { section, type Agenda } from './agenda.ts'

/** A list of areas after a change, and where borders now cut through an area that was whole. */
export interface Changed {
  readonly vmas: readonly Vma[]
  readonly cuts: readonly Cut[]
}
/** An area, as it was, and the page at which it is cut. */
export interface Cut {
  readonly vma: Vma
  readonly at: Page
}

/** The fact that turns one list into another. */
export function vmasFact(mm: MmName, before: readonly Vma[], after: readonly Vma[]): Fact {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  return ['vmas', mm, head, before.length - head - tail, after.slice(head, after.length - tail)]
}

/**
 * `vma_adjust_trans_huge()`: a border inside a 2 MiB block that the area held whole splits the block, whether anything
 * is mapped in it or not, if only there is a table that could map it.
 */
export const cutHuge = (name: MmName, mm: Mm, { vma, at }: Cut): Agenda => {
  const whole = vma.start <= pmdStart(at) && pmdEnd(at) <= vma.end
  if (isPmdAligned(at) || !whole || mm.pud.get(indexAt('pud', at)) === NONE) return []
  return section({ mm: name, event: 'CLEAR', start: pmdStart(at), end: pmdEnd(at) }, [])
}

const anonCompatible = (a: Vma, b: Vma): boolean => a.anonVma === 0 || b.anonVma === 0 || a.anonVma === b.anonVma

/** Could the two be one area? They must touch, agree in everything, and continue one another in their file. */
const mergeable = (a: Vma | undefined, b: Vma | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.end === b.start &&
  a.flags === b.flags &&
  a.file === b.file &&
  a.pgoff + pagesOf(a) === b.pgoff &&
  anonCompatible(a, b)

const joined = (first: Vma, last: Vma, anonVma: number): Vma => ({ ...first, end: last.end, anonVma })

/** The list with one area more: merged with neighbours where it can be. */
export function insertVma(vmas: readonly Vma[], added: Vma, prefers: 'next' | 'previous'): readonly Vma[] {
  const i = vmas.findIndex(v => v.start >= added.end)
  const at = i < 0 ? vmas.length : i
  const prev = mergeable(vmas[at - 1], added) ? vmas[at - 1] : undefined
  const next = mergeable(added, vmas[at]) ? vmas[at] : undefined
  const both = prev !== undefined && next !== undefined && anonCompatible(prev, next)
  const left = both || next === undefined || prefers === 'previous' ? prev : undefined
  const right = both || left === undefined ? next : undefined
  const anonVma = (left?.anonVma ?? 0) || (right?.anonVma ?? 0) || added.anonVma
  const one = joined(left ?? added, right ?? added, anonVma)
  return [...vmas.slice(0, at - (left === undefined ? 0 : 1)), one, ...vmas.slice(at + (right === undefined ? 0 : 1))]
}

/** The list with a border at `at`, if that lies inside an area. */
export function splitAt(vmas: readonly Vma[], at: Page): Changed {
  const i = vmas.findIndex(v => v.start < at && at < v.end)
  const vma = vmas[i]
  if (vma === undefined) return { vmas, cuts: [] }
  return { vmas: [...vmas.slice(0, i), partOf(vma, vma.start, at), partOf(vma, at, vma.end), ...vmas.slice(i + 1)], cuts: [{ vma, at }] }
}

/**
 * `vma_modify()`: [start, end) of `vma` gets other flags. It merges with a neighbour that has these already, whose
 * border then moves; else the area is split where it must be.
 */
export function modifyFlags(vmas: readonly Vma[], vma: Vma, start: Page, end: Page, flags: number): Changed {
  const i = vmas.indexOf(vma)
  const changed: Vma = { ...partOf(vma, start, end), flags }
  const prev = start === vma.start && mergeable(vmas[i - 1], changed) ? vmas[i - 1] : undefined
  const next = end === vma.end && mergeable(changed, vmas[i + 1]) ? vmas[i + 1] : undefined
  const right = prev !== undefined && next !== undefined && !anonCompatible(prev, next) ? undefined : next
  const before = start > vma.start ? [partOf(vma, vma.start, start)] : []
  const after = end < vma.end ? [partOf(vma, end, vma.end)] : []
  const one = joined(prev ?? changed, right ?? changed, (prev?.anonVma ?? 0) || (right?.anonVma ?? 0) || vma.anonVma)
  const list = [
    ...vmas.slice(0, i - (prev === undefined ? 0 : 1)),
    ...before,
    one,
    ...after,
    ...vmas.slice(i + (right === undefined ? 1 : 2)),
  ]
  // Merged: one border moves, into the area that shrinks. Split: the second cut sees what the first has left.
  const cuts: readonly Cut[] = [
    ...(before.length > 0 ? [{ vma, at: start }] : []),
    ...(after.length > 0 ? [{ vma: partOf(vma, start, vma.end), at: end }] : []),
  ]
  return { vmas: list, cuts }
}

/** The smallest number that names no `anon_vma` yet. */
export function freeAnonVma(mms: Readonly<Record<MmName, Mm>>): number {
  const taken = new Set(Object.values(mms).flatMap(mm => mm.vmas.map(v => v.anonVma)))
  for (let id = 1; ; id++) if (!taken.has(id)) return id
}

/** `find_mergeable_anon_vma()`: that of a neighbour which differs in rights at most, the next one first. */
export function neighbourAnonVma(vmas: readonly Vma[], vma: Vma): number {
  const i = vmas.indexOf(vma)
  const continues = (a: Vma | undefined, b: Vma | undefined): boolean =>
    a !== undefined &&
    b !== undefined &&
    a.end === b.start &&
    a.file === b.file &&
    ((a.flags ^ b.flags) & ~VM_ACCESS_FLAGS) === 0 &&
    b.pgoff === a.pgoff + pagesOf(a)
  const [prev, next] = [vmas[i - 1], vmas[i + 1]]
  if (next !== undefined && next.anonVma !== 0 && continues(vma, next)) return next.anonVma
  return prev !== undefined && continues(prev, vma) ? prev.anonVma : 0
}

/** The bounds of the hole that an unmapped [start, end) leaves between its neighbours. */
export const holeAround = (
  vmas: readonly Vma[],
  start: Page,
  end: Page,
  limit: Page,
): { readonly floor: Page; readonly ceiling: Page } => ({
  floor: vmas.findLast(v => v.end <= start)?.end ?? page(0),
  ceiling: vmas.find(v => v.start >= end)?.start ?? limit,
})
