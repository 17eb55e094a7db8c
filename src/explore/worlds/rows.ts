/**
 * The set of visited worlds. A world is a row of small integers; a row is packed into as few words as its numbers need,
 * and found again by open addressing. States are numbered in the order in which they were found, and each keeps the
 * one it was found from.
 */

/** A row, or several of them one behind the other. */
export type Row = Int32Array

/** States of one block of storage. */
const BLOCK_BITS = 14
const BLOCK = 1 << BLOCK_BITS
const FIRST_SLOTS = 1 << 12
const WORD_BITS = 32
/** One more than a number of a row can have. */
const MOST_BITS = 31

/** Where a column of the row lies in the words of a state. */
interface Layout {
  readonly bits: Uint8Array
  readonly word: Uint8Array
  readonly shift: Uint8Array
  readonly words: number
}

export class Rows {
  readonly width: number
  #layout: Layout
  /** Words of a state, and its predecessor. */
  #stride: number
  #blocks: Int32Array[] = []
  #size = 0
  /** State + 1; 0: free. */
  #slots = new Int32Array(FIRST_SLOTS)
  #packed: Int32Array

  constructor(width: number) {
    this.width = width
    this.#layout = layoutOf(new Uint8Array(width).fill(1))
    this.#stride = this.#layout.words + 1
    this.#packed = new Int32Array(this.#layout.words)
  }

  /** States in the set. */
  get size(): number {
    return this.#size
  }

  /** Bytes that the set takes. */
  get bytes(): number {
    return this.#slots.byteLength + this.#blocks.reduce((sum, block) => sum + block.byteLength, 0)
  }

  /** Bytes that it takes with so many more states. */
  bytesWith(more: number): number {
    const size = this.#size + more
    let slots = this.#slots.length
    while (size * 10 > slots * 7) slots *= 2
    return (slots + Math.ceil(size / BLOCK) * BLOCK * this.#stride) * Int32Array.BYTES_PER_ELEMENT
  }

  /** Adds the row that begins at `at`: the number of its state if it is new, else the complement (`~`) of that number. */
  add(rows: Row, at: number, from: number): number {
    const { width } = this
    for (let i = 0; i < width; i++) if ((rows[at + i] as number) >>> (this.#layout.bits[i] as number) !== 0) this.#widen(rows, at)
    const slot = this.#find(rows, at)
    const known = this.#slots[slot] as number
    if (known !== 0) return -known
    const state = this.#size++
    if (state >>> BLOCK_BITS === this.#blocks.length) this.#blocks.push(new Int32Array(BLOCK * this.#stride))
    const block = this.#blocks[state >>> BLOCK_BITS] as Int32Array
    const base = (state & (BLOCK - 1)) * this.#stride
    for (let w = 0; w < this.#packed.length; w++) block[base + w] = this.#packed[w] as number
    block[base + this.#packed.length] = from
    this.#slots[slot] = state + 1
    if (this.#size * 10 > this.#slots.length * 7) this.#rehash(this.#slots.length * 2)
    return state
  }

  /** The state of a row; -1 if it is not there. */
  indexOf(rows: Row, at = 0): number {
    for (let i = 0; i < this.width; i++) if ((rows[at + i] as number) >>> (this.#layout.bits[i] as number) !== 0) return -1
    return (this.#slots[this.#find(rows, at)] as number) - 1
  }

  /** Writes the row of a state to `into`. */
  read(state: number, into: Row, at = 0): void {
    const block = this.#blocks[state >>> BLOCK_BITS] as Int32Array
    const base = (state & (BLOCK - 1)) * this.#stride
    const { bits, word, shift } = this.#layout
    for (let i = 0; i < this.width; i++) {
      into[at + i] = ((block[base + (word[i] as number)] as number) >>> (shift[i] as number)) & ((1 << (bits[i] as number)) - 1)
    }
  }

  /** The state that a state was found from; -1: it is where the search began. */
  from(state: number): number {
    const block = this.#blocks[state >>> BLOCK_BITS] as Int32Array
    return block[(state & (BLOCK - 1)) * this.#stride + this.#stride - 1] as number
  }

  /** How many bits each column is packed into. */
  get bits(): readonly number[] {
    return [...this.#layout.bits]
  }

  /** The states as they are packed, with where each was found from: part by part. */
  *packed(): Generator<Int32Array> {
    for (let first = 0; first < this.#size; first += BLOCK) {
      const block = this.#blocks[first >>> BLOCK_BITS] as Int32Array
      yield block.subarray(0, Math.min(BLOCK, this.#size - first) * this.#stride)
    }
  }

  /** A set again, from its parts: `read` fills each. */
  static restored(bits: readonly number[], size: number, read: (part: Int32Array) => void): Rows {
    const rows = new Rows(bits.length)
    rows.#layout = layoutOf(Uint8Array.from(bits))
    rows.#stride = rows.#layout.words + 1
    rows.#packed = new Int32Array(rows.#layout.words)
    for (let first = 0; first < size; first += BLOCK) {
      rows.#blocks.push(new Int32Array(BLOCK * rows.#stride))
    }
    rows.#size = size
    for (const part of rows.packed()) read(part)
    let slots = FIRST_SLOTS
    while (size * 10 > slots * 7) slots *= 2
    rows.#rehash(slots)
    return rows
  }

  /** The slot where a row is, or would be; leaves it packed. */
  #find(rows: Row, at: number): number {
    const packed = this.#packed
    const { word, shift } = this.#layout
    packed.fill(0)
    for (let i = 0; i < this.width; i++) (packed[word[i] as number] as number) |= (rows[at + i] as number) << (shift[i] as number)
    const mask = this.#slots.length - 1
    const stride = this.#stride
    for (let slot = hashOf(packed, 0, packed.length) & mask; ; slot = (slot + 1) & mask) {
      const state = (this.#slots[slot] as number) - 1
      if (state < 0) return slot
      const block = this.#blocks[state >>> BLOCK_BITS] as Int32Array
      const base = (state & (BLOCK - 1)) * stride
      let w = 0
      while (w < packed.length && block[base + w] === packed[w]) w++
      if (w === packed.length) return slot
    }
  }

  #rehash(slots: number): void {
    const mask = slots - 1
    const words = this.#stride - 1
    this.#slots = new Int32Array(slots)
    for (let state = 0; state < this.#size; state++) {
      const block = this.#blocks[state >>> BLOCK_BITS] as Int32Array
      const base = (state & (BLOCK - 1)) * this.#stride
      let slot = hashOf(block, base, words) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = state + 1
    }
  }

  /** Makes room for larger numbers in the columns that need it: every state is packed anew. */
  #widen(rows: Row, at: number): void {
    const bits = this.#layout.bits.map((now, i) => {
      const needed = 32 - Math.clz32(rows[at + i] as number)
      return needed > now ? Math.min(MOST_BITS, needed + 1) : now
    })
    const old = { blocks: this.#blocks, stride: this.#stride, layout: this.#layout }
    this.#layout = layoutOf(bits)
    this.#stride = this.#layout.words + 1
    this.#packed = new Int32Array(this.#layout.words)
    this.#blocks = []
    for (const [b, block] of old.blocks.entries()) {
      const fresh = new Int32Array(BLOCK * this.#stride)
      const count = Math.min(BLOCK, this.#size - b * BLOCK)
      for (let s = 0; s < count; s++) {
        for (let i = 0; i < this.width; i++) {
          const word = block[s * old.stride + (old.layout.word[i] as number)] as number
          const id = (word >>> (old.layout.shift[i] as number)) & ((1 << (old.layout.bits[i] as number)) - 1)
          ;(fresh[s * this.#stride + (this.#layout.word[i] as number)] as number) |= id << (this.#layout.shift[i] as number)
        }
        fresh[s * this.#stride + this.#stride - 1] = block[s * old.stride + old.stride - 1] as number
      }
      this.#blocks.push(fresh)
    }
    this.#rehash(this.#slots.length)
  }
}

/** Columns side by side in words of 32 bits; none lies across two. */
function layoutOf(bits: Uint8Array): Layout {
  const word = new Uint8Array(bits.length)
  const shift = new Uint8Array(bits.length)
  const room: number[] = []
  // The widest first, each into the first word with room for it.
  for (const i of [...bits.keys()].toSorted((a, b) => (bits[b] as number) - (bits[a] as number))) {
    const wanted = bits[i] as number
    let w = room.findIndex(left => left >= wanted)
    if (w < 0) w = room.push(WORD_BITS) - 1
    word[i] = w
    shift[i] = WORD_BITS - (room[w] as number)
    ;(room[w] as number) -= wanted
  }
  return { bits, word, shift, words: room.length }
}

function hashOf(words: Int32Array, at: number, count: number): number {
  let h = 0
  for (let i = 0; i < count; i++) {
    h = Math.imul(h ^ (words[at + i] as number), 0x9e3779b1)
    h ^= h >>> 15
  }
  h = Math.imul(h ^ (h >>> 13), 0x85ebca6b)
  return (h ^ (h >>> 16)) >>> 0
}
