/** A process that has mapped a file on DAX, on any kernel, for tests of what `get_user_pages()` does about it. */
import { Livelock, Session } from '../../src/conformance/session.ts'
import { profileNamed, profiles, type Profile } from '../../src/kernel/profiles.ts'
import type { Returned, Statement } from '../../src/kernel/thread.ts'
import { followRules } from '../../src/kernel/faults/gup.ts'
import { page, type Page } from '../../src/memory/address.ts'
import { frameOf, wordOf, type Entry } from '../../src/memory/entry.ts'
import { entries, type Fact } from '../../src/memory/facts.ts'
import { fold } from '../../src/memory/fold.ts'
import { FOLIO_DIRTY, frameFlags, frameKind } from '../../src/memory/frames.ts'
import { mmOf, PAGE_SIZE } from '../../src/memory/memory.ts'
import { leafAt, smallEntryAt } from '../../src/memory/pagetable.ts'
import { linuxSystem, mmActors, standardKinds } from '../../src/scenario/standard.ts'
import { vmaAt } from '../../src/memory/vma.ts'
import { followPage, type Followed, type GupFlags } from '../../src/walker/gup.ts'
import { CPU, MM } from './statements.ts'

const FILE = 'data'
export const AT = 512
const SYSTEM = [...mmActors(MM, {}), { name: CPU, machine: 'thread', input: { mm: MM, program: [] } }]

/** A profile by its name. */
export function known(name: string): Profile {
  const profile = profileNamed(name)
  if (profile === undefined) throw new Error(`no profile ${name}`)
  return profile
}
export const BEFORE = known('v4.4')
export const AFTER = known('v4.5')
/** Kernels from one on, until pages of DAX are counted like others (v6.15), and the seed's bits go. */
export const since = (name: string): readonly Profile[] =>
  profiles.slice(profiles.findIndex(p => p.name === name)).filter(p => !p.countsDaxPages)

export interface Answer {
  readonly ret: number | string
  /** What happened to page maps and references, in order. */
  readonly refs: readonly string[]
  readonly does: readonly string[]
}

/** A process with a file on DAX, of blocks or a hole, and a mapping of it at page 512. */
export class Machine {
  readonly #session: Session
  readonly #profile: Profile

  constructor(profile: Profile, { pages = 4, shared = true, filled = true, pfnMap = true } = {}) {
    this.#profile = profile
    this.#session = new Session(linuxSystem({ profile: profile.name, mms: [MM], actors: SYSTEM }, standardKinds(profile, SYSTEM)))
    this.run({ do: 'open', mm: MM, file: FILE, kind: 'dax', ...(pfnMap ? {} : { pfnMap: false }) })
    this.run({ do: 'ftruncate', file: FILE, size: pages * PAGE_SIZE })
    if (filled) {
      this.run({ do: 'fallocate', file: FILE, start: 0, end: pages })
      this.run({ do: 'pwrite', file: FILE, start: 0, end: pages, value: 100, bytes: PAGE_SIZE })
    }
    this.run({ do: 'mmap', mm: MM, ...this.pages(0, pages), prot: 'rw', shared, of: { file: FILE, pgoff: 0 } })
  }

  pages(first: number, count = 1): { readonly start: Page; readonly end: Page } {
    return { start: page(AT + first), end: page(AT + first + count) }
  }

  run(statement: Statement): this {
    this.#session.run(CPU, statement)
    return this
  }
  read(first: number, count = 1): this {
    const { start, end } = this.pages(first, count)
    return this.run({ do: 'load', at: start, end })
  }
  write(first: number, count = 1): this {
    const { start, end } = this.pages(first, count)
    return this.run({ do: 'store', at: start, end, value: 7 })
  }
  release(): this {
    return this.run({ do: 'devm_memremap_pages_release', pagemap: 'pmem0' })
  }

  gup(first: number, count: number, flags: GupFlags & { readonly fast?: true; readonly get?: false } = {}): Answer {
    const { fast, get, ...asked } = flags
    this.#session.fresh()
    this.run({
      do: fast === true ? 'get_user_pages_fast' : 'get_user_pages',
      mm: MM,
      ...this.pages(first, count),
      flags: get === false ? asked : { take: 'get', ...asked },
    })
    const { steps } = this.#session
    const oops = this.#session.told(CPU, 'oops')
    const { err, ret } = this.#session.told(CPU, 'returned') ?? ({ err: `oops: ${oops?.where ?? ''}`, ret: -1 } satisfies Partial<Returned>)
    return { ret: err ?? ret, refs: steps.flatMap(s => s.facts.flatMap(told)), does: steps.map(s => s.do) }
  }
  fast(first: number, count: number, flags: GupFlags = {}): Answer {
    return this.gup(first, count, { ...flags, fast: true })
  }

  /** What happens to references until it is seen that the call never ends. */
  fastFacts(first: number, count: number): readonly string[] {
    try {
      this.fast(first, count)
    } catch (error) {
      if (!isLivelock(error)) throw error
    }
    return this.#session.steps.flatMap(s => s.facts.flatMap(told))
  }
  answer(statement: Statement): number | string {
    this.#session.fresh()
    this.run(statement)
    const returned = this.#session.told(CPU, 'returned')
    return returned?.err ?? returned?.ret ?? -1
  }

  entry(at: number): string {
    return wordOf(smallEntryAt(mmOf(this.#session.memory, MM), page(AT + at)))
  }
  level(at: number): string {
    return leafAt(mmOf(this.#session.memory, MM), page(AT + at)).level
  }
  refs(at: number): number {
    const { frames } = this.#session.memory
    return frames.refs.get(frameOf(smallEntryAt(mmOf(this.#session.memory, MM), page(AT + at))))
  }
  isDirty(at: number): boolean {
    const { memory } = this.#session
    return (frameFlags(memory.frames, frameOf(smallEntryAt(mmOf(memory, MM), page(AT + at)))) & FOLIO_DIRTY) !== 0
  }
  kind(at: number): string {
    const { memory } = this.#session
    return frameKind(memory.frames, frameOf(smallEntryAt(mmOf(memory, MM), page(AT + at))))
  }
  /** What the walk says of a page whose entry is this, with nothing done about it. */
  follow(at: number, entry: Entry, flags: GupFlags): Followed {
    const { memory } = this.#session
    const leaf = leafAt(mmOf(memory, MM), page(AT + at))
    const changed = fold(memory, [entries(leaf.level, MM, leaf.index, 1, entry)])
    const vma = vmaAt(mmOf(memory, MM).vmas, page(AT + at))
    if (vma === undefined) throw new Error(`no area at ${at}`)
    return followPage(changed, MM, vma, page(AT + at), flags, { ...followRules(this.#profile), faulted: false, held: [] })
  }
  raw(at: number): Entry {
    return leafAt(mmOf(this.#session.memory, MM), page(AT + at)).entry
  }
  get held(): number {
    return this.#session.memory.pagemaps['pmem0'] ?? 0
  }
}

const told = (fact: Fact): readonly string[] =>
  fact[0] === 'pagemap' ? [`${fact[1]} ${fact[2]}`] : fact[0] === 'refs' ? [`page ${fact[2] * fact[3]}`] : []

/** What a step says of the entries that it marks. */
export const marks = (followed: Followed): readonly string[] =>
  'facts' in followed && followed.facts !== undefined
    ? followed.facts.flatMap(fact => (fact[0] === 'pte' || fact[0] === 'pmd' ? [fact[4]] : []))
    : []
/** Runs that never end. */
export const isLivelock = (e: unknown): boolean => e instanceof Livelock
