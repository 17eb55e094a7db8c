/**
 * `Table`: a sparse, immutable array of small integers, 0 meaning "nothing there". Page tables, the columns of
 * the frame table, the array that `hmm_range_fault()` fills and a device's page table are all of this class.
 *
 * A tree of 64-wide plain arrays, as deep as its largest index needs, without empty subtrees: tables with equal
 * entries have equal shape. A write copies the path to a leaf; a write over a run copies each leaf once. Plain
 * arrays of small integers copy twenty times faster than typed ones of this size.
 *
 * Entries should stay below 2^31: larger ones are right too, but slow every entry of their leaf.
 */

/** Entries of one leaf. */
export const LEAF = 64
const BITS = 6
const MASK = LEAF - 1

/** Indices stay below this: 4 TiB of 4 KiB pages. */
export const INDEX_LIMIT = 2 ** 30

/** Entry i of a run, counted from its first, is `value + i * stride`. */
export type Run = readonly [index: number, count: number, value: number, stride: number]

export interface TableJson {
  readonly $table: readonly Run[]
}

type Leaf = readonly number[]
type Inner = readonly (Node | undefined)[]
interface Node extends ReadonlyArray<Node | number | undefined> {}

/** How far a node is above the leaves says what it is: `shift` 0 is a leaf, anything else an inner node. */
const asLeaf = (node: Node): Leaf => node as Leaf
const asInner = (node: Node): Inner => node as Inner

const ZEROS: Leaf = Array.from({ length: LEAF }, () => 0)
const EMPTY: Inner = Array.from({ length: LEAF }, () => undefined)

/** Rewrites entries [from, to) of `copy`, a leaf whose first index is `base`; the loop of a hot writer is its own. */
export type Rewrite = (copy: number[], from: number, to: number, base: number) => void

/** Is told which entries [from, to) of a table are looked at. */
export type Watcher = (table: Table, from: number, to: number) => void
let watcher: Watcher | undefined

/** Runs something, and tells what tables were looked at meanwhile. */
export function watched<T>(by: Watcher, run: () => T): T {
  const before = watcher
  watcher = by
  try {
    return run()
  } finally {
    watcher = before
  }
}

const outside = (index: number, end: number): string => `indices ${index} to ${end - 1} are outside 0..${INDEX_LIMIT - 1}`

export class Table {
  static readonly empty = new Table(undefined, 0)

  /** Built by its own writers only: `root` holds no empty subtree, and is no deeper than it must be. */
  private constructor(root: Node | undefined, shift: number) {
    this.#root = root
    this.#shift = shift
  }

  readonly #root: Node | undefined
  /** Bits of an index that lie below the root's own six. */
  readonly #shift: number

  /** The runs of `toJSON`, read back. */
  static of(runs: Iterable<Run>): Table {
    let table = Table.empty
    for (const [index, count, value, stride] of runs) table = table.setRange(index, count, value, stride)
    return table
  }

  get(index: number): number {
    if (watcher !== undefined) watcher(this, index, index + 1)
    const leaf = this.#leaf(index)
    return leaf === undefined ? 0 : (leaf[index & MASK] ?? 0)
  }

  /** The entries of `index & ~63` to `index | 63`, for loops that would descend for each. Never write to it. */
  leaf(index: number): Leaf | undefined {
    if (watcher !== undefined) watcher(this, index & ~MASK, (index | MASK) + 1)
    return this.#leaf(index)
  }

  #leaf(index: number): Leaf | undefined {
    let shift = this.#shift
    if (index >>> shift >= LEAF) return undefined
    let node = this.#root
    for (; shift > 0 && node !== undefined; shift -= BITS) node = asInner(node)[(index >>> shift) & MASK]
    return node === undefined ? undefined : asLeaf(node)
  }

  set(index: number, value: number): Table {
    return this.setRange(index, 1, value, 0)
  }

  setRange(index: number, count: number, value: number, stride: number): Table {
    if (value === 0 && stride === 0 && count > LEAF) return cleared(this, index, index + count)
    return this.rewrite(index, count, (copy, from, to, base) => {
      for (let i = from, v = value + (base + from - index) * stride; i < to; i++, v += stride) copy[i] = v
    })
  }

  /** Each entry of the run becomes `change(entry, index)`. */
  update(index: number, count: number, change: (entry: number, index: number) => number): Table {
    return this.rewrite(index, count, (copy, from, to, base) => {
      for (let i = from; i < to; i++) copy[i] = change(copy[i] ?? 0, base + i)
    })
  }

  /** Each leaf of the run, rewritten in a copy. */
  rewrite(index: number, count: number, change: Rewrite): Table {
    if (count <= 0) return this
    const end = index + count
    if (watcher !== undefined) watcher(this, index, end)
    if (index < 0 || end > INDEX_LIMIT) throw new RangeError(outside(index, end))
    let shift = this.#shift
    while ((end - 1) >>> shift >= LEAF) shift += BITS
    const root = written(raised(this.#root, this.#shift, shift), shift, 0, index, end, change)
    return Table.#lowered(root, shift)
  }

  /** The first index in [index, end) whose entry is not 0; `end` if there is none. */
  next(index: number, end: number): number {
    const found = this.#next(index, end)
    if (watcher !== undefined) watcher(this, index, Math.min(found + 1, end))
    return found
  }

  #next(index: number, end: number): number {
    const last = Math.min(end, INDEX_LIMIT)
    for (let i = index; i < last;) {
      const leaf = this.#leaf(i)
      if (leaf === undefined) {
        i = this.#afterAbsent(i)
        continue
      }
      for (const stop = Math.min(last, (i | MASK) + 1); i < stop; i++) if (leaf[i & MASK] !== 0) return i
    }
    return end
  }

  /** The first index from `index` on whose entry is 0. */
  gap(index: number): number {
    const found = this.#gap(index)
    if (watcher !== undefined) watcher(this, index, found + 1)
    return found
  }

  #gap(index: number): number {
    for (let i = index; ; i++) {
      const leaf = this.#leaf(i)
      if (leaf === undefined) return i
      for (; ; i++) {
        if (leaf[i & MASK] === 0) return i
        if ((i & MASK) === MASK) break
      }
    }
  }

  /** The indices in [index, end) whose entries are not 0, ascending. */
  *indices(index = 0, end = INDEX_LIMIT): Generator<number> {
    for (let i = this.next(index, end); i < end; i = this.next(i + 1, end)) yield i
  }

  /** Maximal runs of entries that are not 0 in [index, end), ascending. */
  runs(index = 0, end = INDEX_LIMIT): Generator<Run> {
    return this.#runs(index, end, false)
  }

  /** `toZero`: a run that comes down to 0 has that 0 as well. */
  *#runs(index: number, end: number, toZero: boolean): Generator<Run> {
    const stop = toZero ? Infinity : 0
    for (let i = this.next(index, end); i < end;) {
      const value = this.get(i)
      const second = i + 1 < end ? this.get(i + 1) : 0
      const stride = second === 0 ? 0 : second - value
      let count = 1
      if (second !== 0) {
        for (let next = second; next !== stop && i + count < end && this.get(i + count) === next; next += stride) count++
      }
      yield [i, count, value, stride]
      i = this.next(i + count, end)
    }
  }

  /** The runs that turn this table into `other`; entries that are 0 there come as runs of 0. */
  changesTo(other: Table): readonly Run[] {
    if (watcher !== undefined) watcher(this, 0, INDEX_LIMIT)
    const changes = new Changes()
    const shift = Math.max(this.#shift, other.#shift)
    compare(raised(this.#root, this.#shift, shift), raised(other.#root, other.#shift, shift), shift, 0, changes)
    return changes.runs
  }

  /** As JSON, a table is its runs; one that comes down to 0 has that as well, as digests of all logs so far have it. */
  toJSON(): TableJson {
    return { $table: [...this.#runs(0, INDEX_LIMIT, true)] }
  }

  /** The table whose root is the lowest node that holds all of `root`: one shape for the same entries. */
  static #lowered(top: Node | undefined, height: number): Table {
    let [root, shift] = [top, height]
    while (shift > 0 && root !== undefined && onlyFirst(asInner(root))) {
      root = asInner(root)[0]
      shift -= BITS
    }
    return root === undefined ? Table.empty : new Table(root, shift)
  }

  /** The index behind the absent subtree that `index` lies in. */
  #afterAbsent(index: number): number {
    let node = this.#root
    let shift = this.#shift
    if (node === undefined || index >>> shift >= LEAF) return INDEX_LIMIT
    for (; shift > 0; shift -= BITS) {
      node = asInner(node)[(index >>> shift) & MASK]
      if (node === undefined) break
    }
    return ((index >>> shift) + 1) << shift
  }
}

const onlyFirst = (node: Inner): boolean => {
  for (let i = 1; i < LEAF; i++) if (node[i] !== undefined) return false
  return true
}

const allZero = (leaf: Leaf): boolean => {
  for (let i = 0; i < LEAF; i++) if (leaf[i] !== 0) return false
  return true
}

/** `node` as the first child of as many levels as reach `to`. */
function raised(node: Node | undefined, shift: number, to: number): Node | undefined {
  let top = node
  for (let at = shift; at < to && top !== undefined; at += BITS) {
    const above: (Node | undefined)[] = EMPTY.slice()
    above[0] = top
    top = above
  }
  return top
}

/** A copy of `node` (which begins at index `base`) with [from, to) rewritten; undefined if nothing is left in it. */
function written(node: Node | undefined, shift: number, base: number, from: number, to: number, rewrite: Rewrite): Node | undefined {
  if (shift === 0) {
    const copy = (node === undefined ? ZEROS : asLeaf(node)).slice()
    rewrite(copy, Math.max(from - base, 0), Math.min(to - base, LEAF), base)
    return allZero(copy) ? undefined : copy
  }
  const copy: (Node | undefined)[] = (node === undefined ? EMPTY : asInner(node)).slice()
  const first = Math.max(from - base, 0) >>> shift
  const last = Math.min((to - 1 - base) >>> shift, MASK)
  for (let i = first; i <= last; i++) {
    copy[i] = written(copy[i], shift - BITS, base + i * (1 << shift), from, to, rewrite)
  }
  return copy[0] === undefined && onlyFirst(copy) ? undefined : copy
}

/** Runs in the making: entries come in ascending order. */
class Changes {
  readonly runs: [index: number, count: number, value: number, stride: number][] = []

  add(index: number, value: number): void {
    const run = this.runs.at(-1)
    if (run !== undefined && run[0] + run[1] === index) {
      if (run[1] === 1) run[3] = value - run[2]
      if (value === run[2] + run[1] * run[3]) {
        run[1]++
        return
      }
      if (run[1] === 1) run[3] = 0
    }
    this.runs.push([index, 1, value, 0])
  }
}

/** Adds the entries in which `b` differs from `a`, which begin at index `base`; shared subtrees are passed over. */
function compare(a: Node | undefined, b: Node | undefined, shift: number, base: number, changes: Changes): void {
  if (a === b) return
  if (shift > 0) {
    for (let i = 0; i < LEAF; i++) compare(a && asInner(a)[i], b && asInner(b)[i], shift - BITS, base + i * (1 << shift), changes)
    return
  }
  const [before, after] = [a === undefined ? ZEROS : asLeaf(a), b === undefined ? ZEROS : asLeaf(b)]
  for (let i = 0; i < LEAF; i++) {
    const value = after[i] ?? 0
    if (before[i] !== value) changes.add(base + i, value)
  }
}

/** Of a long run that is to be empty, only what is there is gone over. */
function cleared(table: Table, index: number, end: number): Table {
  if (index < 0 || end > INDEX_LIMIT) throw new RangeError(outside(index, end))
  let left = table
  for (let i = table.next(index, end); i < end;) {
    const stop = Math.min(end, (i | MASK) + 1)
    left = left.setRange(i, stop - i, 0, 0)
    i = table.next(stop, end)
  }
  return left
}
