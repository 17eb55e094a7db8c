/** Areas being split, merged and changed (mm/vma.c, mm/mmap.c): pure functions over the list of an address space. */
import { isPmdAligned, isPudAligned, page, pfn, pmdEnd, pmdStart, type Page } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { fileOf, mmOf, type Memory, type Mm, type MmName } from '../../memory/memory.ts'
import { hasPmdTable } from '../../memory/pagetable.ts'
import { has, isAnonymous, pagesOf, partOf, VM_ACCESS_FLAGS, VM_HUGETLB, VM_SPECIAL, type Vma } from '../../memory/vma.ts'
import { section, type Agenda } from '../agenda.ts'

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

/** What stands behind all others in the reverse mappings. */
export const nextOrder = ({ mms }: Memory): number =>
  1 + Math.floor(Math.max(0, ...Object.values(mms).flatMap(({ vmas }) => vmas.flatMap(v => [v.order, v.anonOrder]))))

/**
 * The fact that turns the areas of an address space into others. Those whose borders moved stand behind all others in
 * the reverse mappings: they were taken out, and put in again.
 */
export function vmasFact(memory: Memory, mm: MmName, wanted: readonly Vma[]): Fact {
  const before = mmOf(memory, mm).vmas
  const known = new Map(before.map(v => [`${v.start} ${v.end} ${v.order}`, v]))
  let order = nextOrder(memory)
  const after = wanted.map(v => {
    const was = known.get(`${v.start} ${v.end} ${v.order}`)
    if (was === undefined) return { ...v, order, anonOrder: order++ }
    // Linked to an `anon_vma` only now.
    return was.linked.length < v.linked.length ? { ...v, anonOrder: order++ } : v
  })
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++
  return ['vmas', mm, head, before.length - head - tail, after.slice(head, after.length - tail)]
}

/** `split_huge_pmd()`: the block's 2 MiB entry becomes small ones; with a folio, only if it maps that. */
export const splitHugePmd = (mm: MmName, at: Page, folio = pfn(0), freeze = false): Agenda =>
  section({ mm, event: 'CLEAR', start: pmdStart(at), end: pmdEnd(at) }, [{ do: 'split_huge_pmd', mm, page: pmdStart(at), folio, freeze }])

/**
 * `vma_adjust_trans_huge()`: a border inside a 2 MiB block that the area held whole splits the block, whether anything
 * is mapped in it or not, if only there is a table that could map it.
 */
export const cutHuge = (name: MmName, mm: Mm, { vma, at }: Cut): Agenda => {
  const whole = vma.start <= pmdStart(at) && pmdEnd(at) <= vma.end
  return isPmdAligned(at) || !whole || !hasPmdTable(mm, at) ? [] : splitHugePmd(name, at)
}

/** `is_mergeable_anon_vma()`: one that is linked to no `anon_vma`, or to those of a parent too, stays by itself. */
const anonMergeable = (added: Vma, neighbour: Vma): boolean =>
  ((added.anonVma === 0 || neighbour.anonVma === 0) && neighbour.linked.length === 1) || added.anonVma === neighbour.anonVma
/** Of two areas that would be one with a third between them. */
const anonCompatible = (a: Vma, b: Vma): boolean => a.anonVma === 0 || b.anonVma === 0 || a.anonVma === b.anonVma

/** Could the two be one area, but for what they say of anonymous memory? They must agree in everything, and continue one another. */
const continues = (a: Vma, b: Vma): boolean =>
  a.end === b.start && a.flags === b.flags && !has(a, VM_SPECIAL) && a.file === b.file && a.pgoff + pagesOf(a) === b.pgoff

const previousOf = (neighbour: Vma | undefined, added: Vma): Vma | undefined =>
  neighbour !== undefined && continues(neighbour, added) && anonMergeable(added, neighbour) ? neighbour : undefined
const nextOf = (added: Vma, neighbour: Vma | undefined): Vma | undefined =>
  neighbour !== undefined && continues(added, neighbour) && anonMergeable(added, neighbour) ? neighbour : undefined

/** The area from the start of `first` to the end of `last`, with the `anon_vma` of the first of `parts` that has one. */
function joined(first: Vma, last: Vma, ...parts: readonly (Vma | undefined)[]): Vma {
  const anon = parts.find(part => part !== undefined && part.anonVma !== 0)
  return { ...first, end: last.end, anonVma: anon?.anonVma ?? 0, linked: anon?.linked ?? first.linked }
}

/** The list with one area more: merged with neighbours where it can be. */
export function insertVma(vmas: readonly Vma[], added: Vma, prefers: 'next' | 'previous'): readonly Vma[] {
  const i = vmas.findIndex(v => v.start >= added.end)
  const at = i < 0 ? vmas.length : i
  const prev = previousOf(vmas[at - 1], added)
  const next = nextOf(added, vmas[at])
  const both = prev !== undefined && next !== undefined && anonCompatible(prev, next)
  const left = both || next === undefined || prefers === 'previous' ? prev : undefined
  const right = both || left === undefined ? next : undefined
  const one = joined(left ?? added, right ?? added, left, right, added)
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
  const prev = start === vma.start ? previousOf(vmas[i - 1], changed) : undefined
  const next = end === vma.end ? nextOf(changed, vmas[i + 1]) : undefined
  const right = prev !== undefined && next !== undefined && !anonCompatible(prev, next) ? undefined : next
  const before = start > vma.start ? [partOf(vma, vma.start, start)] : []
  const after = end < vma.end ? [partOf(vma, end, vma.end)] : []
  const one = joined(prev ?? changed, right ?? changed, prev, right, vma)
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

/** `vm_ops->may_split`: what can only be mapped by large entries is cut only between them. */
export function maySplit(memory: Memory, { vma, at }: Cut): boolean {
  if (has(vma, VM_HUGETLB)) return isPmdAligned(at)
  return isAnonymous(vma) || fileOf(memory, vma.file).kind !== 'devdax' || isPudAligned(at)
}

/**
 * [start, end) of an area gets other flags; borders split what they cut. Where that may not be it fails, though the border
 * at the start may stand by then.
 */
export function modified(memory: Memory, mm: MmName, vma: Vma, start: Page, end: Page, flags: number): Agenda {
  const as = mmOf(memory, mm)
  const { vmas, cuts } = modifyFlags(as.vmas, vma, start, end, flags)
  const bad = cuts.findIndex(cut => !maySplit(memory, cut))
  if (bad >= 0) return [...(bad > 0 ? ([{ do: 'split_vma', mm, page: start }] as const) : []), { do: 'fail', failure: 'EINVAL' }]
  return [...cuts.flatMap(cut => cutHuge(mm, as, cut)), { do: 'vma_set', mm, facts: [vmasFact(memory, mm, vmas)] }]
}

/** The smallest number that names no `anon_vma` yet. */
export function freeAnonVma(mms: Readonly<Record<MmName, Mm>>): number {
  const taken = new Set(Object.values(mms).flatMap(mm => mm.vmas.flatMap(v => v.linked)))
  for (let id = 1; ; id++) if (!taken.has(id)) return id
}

/** `find_mergeable_anon_vma()`: that of a neighbour which differs in rights at most and has no other; the next one first. */
export function neighbourAnonVma(vmas: readonly Vma[], vma: Vma): number {
  const i = vmas.indexOf(vma)
  const compatible = (a: Vma, b: Vma): boolean =>
    a.end === b.start && a.file === b.file && ((a.flags ^ b.flags) & ~VM_ACCESS_FLAGS) === 0 && b.pgoff === a.pgoff + pagesOf(a)
  const [prev, next] = [vmas[i - 1], vmas[i + 1]]
  if (next !== undefined && next.linked.length === 1 && compatible(vma, next)) return next.anonVma
  return prev !== undefined && prev.linked.length === 1 && compatible(prev, vma) ? prev.anonVma : 0
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
