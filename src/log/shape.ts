/**
 * The shape of what a log tells of: facts, areas, contexts, and the memory of a checkpoint. Whoever folds, draws or explains it
 * takes it for what the model writes, which a seal alone does not say.
 */
import { PAGE_LIMIT } from '../memory/address.ts'
import type { Fact } from '../memory/facts.ts'
import { FILE_LOCKS } from '../memory/memory.ts'

export type Fields = Readonly<Record<string, unknown>>
export const isFields = (x: unknown): x is Fields => typeof x === 'object' && x !== null && !Array.isArray(x)
export const isCount = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 0

type Is = (x: unknown) => boolean
const isNumber: Is = x => typeof x === 'number'
const isText: Is = x => typeof x === 'string'
const listOf =
  (is: Is): Is =>
  x =>
    Array.isArray(x) && x.every(is)
const mapOf =
  (is: Is): Is =>
  x =>
    isFields(x) && Object.values(x).every(is)
/** An object with these fields, and maybe others. */
const withFields = (fields: Readonly<Record<string, Is>>): Is => {
  const all = Object.entries(fields)
  return x => isFields(x) && all.every(([name, is]) => is(x[name]))
}

/** Pages or frames that one fact or run speaks of: 64 GiB. */
const WIDEST = 1 << 24
const isWidth: Is = x => isCount(x) && x <= WIDEST
/** `sysctl_max_map_count` is 65530. */
const MOST_AREAS = 1 << 16

/** Runs of a table that was written down: in order, and none is wider than it can be, nor are all of them. */
export function areRuns(runs: unknown): boolean {
  if (!Array.isArray(runs)) return false
  let [end, sum] = [0, 0]
  for (const run of runs as readonly unknown[]) {
    if (!Array.isArray(run) || run.length !== 4 || !run.every(isNumber)) return false
    const [index, count] = run as readonly number[]
    if (!isCount(index) || !isCount(count) || index < end) return false
    end = index + count
    sum += count
  }
  return sum <= WIDEST
}
/** Its runs are looked at when it is made. */
const isTable: Is = x => isFields(x) && Array.isArray(x['$table'])

const isArea = withFields({
  ...Object.fromEntries(['flags', 'pgoff', 'anonVma', 'order', 'anonOrder'].map(name => [name, isNumber])),
  start: isCount,
  end: x => isCount(x) && x <= PAGE_LIMIT,
  linked: listOf(isNumber),
  file: isText,
})
const isAreas: Is = x => Array.isArray(x) && x.length <= MOST_AREAS && x.every(isArea)
const isMirror: Is = x => x === null || withFields({ mm: isText, device: isText })(x)
const FILE = { kind: isText, size: isNumber, mirror: isMirror }
const isLock: Is = x => FILE_LOCKS.some(lock => lock === x)
/** What may be left out. */
const isMissingOr =
  (is: Is): Is =>
  x =>
    x === undefined || is(x)
const isFile: Is = x => x === null || withFields(FILE)(x)
const isFlag: Is = x => typeof x === 'boolean'

const [text, number, width] = [isText, isNumber, isWidth]
const entries = [text, number, width, text, number, number]
const run = [number, width, number]
/** What stands in a fact of a kind behind its name. */
const FACTS: Readonly<Record<Fact[0], readonly Is[]>> = {
  vmas: [text, isCount, isCount, isAreas],
  lock: [number, isFlag],
  device: [text, text, number],
  'device-alloc': [text, number, number],
  'device-folio': [text, number, number],
  open: [text, listOf(isText)],
  mm: [text, isFlag],
  pgd: entries,
  pud: entries,
  pmd: entries,
  pte: entries,
  clear_bad: [text, text, number],
  tlb: entries,
  alloc: [number, text, number, number, number, number, number],
  folio: [number, text, number],
  refs: run,
  maps: run,
  hugeMaps: run,
  state: [number, width, text],
  content: [...run, number],
  anonVma: [...run, number],
  index: [...run, number],
  split: [number, number],
  swap: [number, number],
  'swap-refs': [number, number],
  'swap-cache': [number, number],
  reserved: [number],
  promised: [text, number, width, number],
  file: [text, isFile],
  fget: [text, number],
  release: [text],
  'file-lock': [text, isLock, number],
  size: [text, number],
  cache: [text, number, text, number],
  blocks: [text, number, width, number],
  dax: [text, number, width, text],
  lru: run,
  batch: [text, number],
  drain: [text],
  pagemap: [text, number],
  'pagemap-kill': [text],
}
const KINDS: ReadonlyMap<string, readonly Is[]> = new Map(Object.entries(FACTS))

/** Facts, each with what those of its kind have; of kinds that are not known nobody makes anything. */
export const areFacts = (facts: unknown): facts is readonly (readonly [string, ...unknown[]])[] =>
  Array.isArray(facts) && facts.every(isFact)

function isFact(fact: unknown): boolean {
  if (!Array.isArray(fact) || typeof fact[0] !== 'string') return false
  const kind = KINDS.get(fact[0])
  if (kind === undefined) return true
  for (let i = 0; i < kind.length; i++) if (kind[i]?.(fact[i + 1]) !== true) return false
  return true
}

/** Items of a program or of an agenda: each with what it does. */
export const areItems = listOf(isFields)
/** What is left of a program and of an agenda: whoever runs an actor, or shows what it is at, goes by them. */
export const isListed = (key: string): boolean => key === 'agenda' || key === 'program'

/** A context, as it is written down. */
export const isContext: Is = x => isFields(x) && Object.entries(x).every(([key, value]) => !isListed(key) || areItems(value))

const tables = (names: readonly string[]): Readonly<Record<string, Is>> => Object.fromEntries(names.map(name => [name, isTable]))
const isMemory = withFields({
  mms: mapOf(withFields({ ...tables(['pgd', 'pud', 'pmd', 'pte', 'tlb']), vmas: isAreas, open: listOf(isText) })),
  frames: withFields({
    ...tables(['refs', 'maps', 'hugeMaps', 'state', 'content', 'anonVma', 'index', 'lru', 'fresh', 'locked']),
    free: isCount,
    freeBlock: isCount,
  }),
  swap: withFields({ ...tables(['refs', 'content', 'cache']), free: isCount }),
  pool: withFields({ free: isNumber, reserved: isNumber, promised: mapOf(isTable) }),
  files: mapOf(
    withFields({
      ...tables(['cache', 'blocks', 'dax']),
      ...FILE,
      calls: isMissingOr(isCount),
      i_rwsem: isMissingOr(isNumber),
      invalidate_lock: isMissingOr(isNumber),
    }),
  ),
  devices: mapOf(withFields({ ...tables(['mirrors']), kind: isText, first: isCount, given: isCount, freed: listOf(isCount) })),
  batches: listOf(x => Array.isArray(x) && isText(x[0]) && isCount(x[1])),
  pagemaps: mapOf(isNumber),
})

const isGoal: Is = x =>
  withFields({ by: isText, left: Number.isSafeInteger })(x) && (!isFields(x) || x['state'] === undefined || isText(x['state']))
/** The plan of a scenario, as a header has it. */
export const isPlan = listOf(withFields({ goals: listOf(isGoal), order: listOf(isGoal) }))

/** A world, as it is written down. */
export const isWorld = withFields({
  memory: isMemory,
  actors: mapOf(x => Array.isArray(x) && isText(x[0]) && isContext(x[1])),
})
