/** The ops of recorded programs, read: one line each, in the words of the recorder. */
import type { Advice, Prot } from '../kernel/agenda.ts'
import { page, type Page } from '../memory/address.ts'
import { Table } from '../memory/table.ts'
import type { GupFlags } from '../walker/gup.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'

interface Pages {
  readonly start: Page
  readonly end: Page
}

/** What the recorder maps; `mixed` and `devdax` are opened for it, and closed again. */
export type MapKind = (typeof MAP_KINDS)[number]
const MAP_KINDS = ['anon', 'hugetlb', 'file', 'devdax', 'mixed', 'insert', 'special', 'pfnmap'] as const
const FILE_SYSTEMS = ['memfd', 'ext4', 'dax'] as const
/** Commands of the test driver that take an open file and pages. */
const DEVICE_OPS = ['dread', 'dwrite', 'dtodev', 'dtosys', 'dsnap', 'dexcl', 'dchk', 'drel'] as const
export type DeviceOp = (typeof DEVICE_OPS)[number]

export type Op =
  | ({
      readonly op: 'mmap'
      readonly kind: MapKind
      readonly prot: Prot
      readonly shared: boolean
      /** Of `file`: its name, and the page in it. */
      readonly file: string
      readonly offset: number
    } & Pages)
  | {
      readonly op: 'file'
      readonly name: string
      readonly fs: (typeof FILE_SYSTEMS)[number]
      readonly pages: number
      readonly hole: boolean
    }
  | { readonly op: 'truncate'; readonly name: string; readonly pages: number }
  | { readonly op: 'punch' | 'pread'; readonly name: string; readonly first: number; readonly count: number }
  | { readonly op: 'pwrite'; readonly name: string; readonly first: number; readonly count: number; readonly value: number }
  | { readonly op: 'fork' | 'exit' }
  | { readonly op: 'dopen'; readonly fd: number; readonly device: number }
  | { readonly op: 'dclose'; readonly fd: number }
  | ({ readonly op: DeviceOp; readonly fd: number; readonly value: number } & Pages)
  | ({ readonly op: 'munmap' | 'mlock' | 'munlock' } & Pages)
  | ({ readonly op: 'mprotect'; readonly prot: Prot } & Pages)
  | ({ readonly op: 'madvise'; readonly advice: Advice } & Pages)
  | { readonly op: 'mremap'; readonly from: Page; readonly old: number; readonly to: Page; readonly pages: number }
  | ({ readonly op: 'read' } & Pages)
  | ({ readonly op: 'write'; readonly value: number } & Pages)
  | ({ readonly op: 'gup'; readonly flags: GupFlags } & Pages)
  /** One call of `hmm_range_fault()`; `race`: a whole invalidation runs before the retry check. */
  | ({
      readonly op: 'rfault'
      readonly defaultFlags: number
      readonly pfnFlagsMask: number
      readonly race: boolean
      /** What is there, and no more: `hmm_range_snapshot()`, `hmm_vma_get_pfns()`. */
      readonly snapshot: boolean
      /** Whose device memory counts as the caller's own: that of the page mapped here. */
      readonly ownerAt: Page | null
      readonly requests: Table
    } & Pages)
  | ({ readonly op: 'iv'; readonly what: IvOp; readonly k: number } & Pages)
  | ({ readonly op: 'inv'; readonly what: 'start' | 'try' | 'end'; readonly k: number } & Pages)

const IV = ['insert', 'remove', 'begin', 'retry', 'check', 'refuse'] as const
export type IvOp = (typeof IV)[number]
const INV = ['start', 'try', 'end'] as const
const ADVICE: readonly Advice[] = [
  'dontneed',
  'free',
  'cold',
  'pageout',
  'popr',
  'popw',
  'huge',
  'nohuge',
  'collapse',
  'dontfork',
  'dofork',
  'wipeonfork',
]
const PROTS: readonly Prot[] = ['-', 'r', 'w', 'x', 'rw', 'rx', 'wx', 'rwx']

/** An op that the model does not know, or not yet; the message says what it is. */
export class UnknownOp extends Error {
  override readonly name = 'UnknownOp'
}

/** `.` nothing, `r` have it, `w` write it, `o` write without having it: the recorder's letters for request flags. */
const requestOf = (letter: string | undefined): number =>
  letter === 'w' ? HMM_PFN_VALID | HMM_PFN_WRITE : letter === 'r' ? HMM_PFN_VALID : letter === 'o' ? HMM_PFN_WRITE : 0

/** An op, and the number of the process that runs it. */
export interface Line {
  readonly who: number
  readonly op: Op
}
export function parseLine(line: string): Line {
  const by = /^@(\d+)\s+/.exec(line)
  return { who: by === null ? 0 : Number(by[1]), op: parseOp(by === null ? line : line.slice(by[0].length)) }
}

export function parseOp(line: string): Op {
  const [op = '', ...words] = line.trim().split(/\s+/)
  const refuse = (what: string): never => {
    throw new UnknownOp(`'${line}': ${what}`)
  }
  const number = (i: number): number => {
    const n = Number(words[i])
    return Number.isInteger(n) && n >= 0 ? n : refuse(`expected a number as word ${i + 2}, got '${words[i] ?? 'nothing'}'`)
  }
  const word = (i: number): string => words[i] ?? refuse(`expected a name as word ${i + 2}, got nothing`)
  const oneOf = <W extends string>(i: number, known: readonly W[], what: string): W =>
    known.find(w => w === words[i]) ?? refuse(`the model does not know ${what} '${words[i] ?? ''}' yet; it knows ${known.join(' ')}`)
  const pages = (i = 0): Pages => ({ start: page(number(i)), end: page(number(i) + number(i + 1)) })

  switch (op) {
    case 'mmap': {
      const kind = oneOf(2, MAP_KINDS, 'mappings of')
      const [file = '', offset = '0'] = (words[5] ?? '').split(':')
      if (kind === 'file' && (file === '' || !/^\d+$/.test(offset)))
        refuse(`expected FILE:OFFSET as word 7, got '${words[5] ?? 'nothing'}'`)
      const shared = oneOf(4, ['p', 's'], 'sharing') === 's'
      return { op, ...pages(), kind, prot: oneOf(3, PROTS, 'the rights'), shared, file, offset: Number(offset) }
    }
    case 'file':
      return { op, name: word(0), fs: oneOf(1, FILE_SYSTEMS, 'files on'), pages: number(2), hole: words[3] === 'hole' }
    case 'truncate':
      return { op, name: word(0), pages: number(1) }
    case 'punch':
    case 'pread':
      return { op, name: word(0), first: number(1), count: number(2) }
    case 'pwrite':
      return { op, name: word(0), first: number(1), count: number(2), value: number(3) }
    case 'fork':
    case 'exit':
      return { op }
    case 'dopen':
      return { op, fd: number(0), device: number(1) }
    case 'dclose':
      return { op, fd: number(0) }
    case 'dread':
    case 'dwrite':
    case 'dtodev':
    case 'dtosys':
    case 'dsnap':
    case 'dexcl':
    case 'dchk':
    case 'drel':
      return { op, fd: number(0), ...pages(1), value: words[3] === undefined ? 0 : number(3) }
    case 'munmap':
    case 'mlock':
    case 'munlock':
    case 'read':
      return { op, ...pages() }
    case 'mprotect':
      return { op, ...pages(), prot: oneOf(2, PROTS, 'the rights') }
    case 'madvise':
      return { op, ...pages(), advice: oneOf(2, ADVICE, 'the advice') }
    case 'mremap':
      return { op, from: page(number(0)), old: number(1), to: page(number(2)), pages: number(3) }
    case 'write':
      return { op, ...pages(), value: number(2) }
    case 'gup': {
      const has = (bit: number): boolean => (number(2) & bit) !== 0
      const flags: GupFlags = {
        write: has(1),
        force: has(2),
        dump: has(4),
        longterm: has(8),
        nofault: has(16),
        take: number(3) === 1 ? 'pin' : 'get',
      }
      return { op, ...pages(), flags }
    }
    case 'rfault': {
      const { start, end } = pages()
      const letters = words[5] ?? '.'
      const requests = Table.empty.update(start, end - start, (_, p) => requestOf(letters[(p - start) % letters.length]))
      const ownerAt = /^\d+$/.test(words[4] ?? '') ? page(number(4)) : null
      const flags = { defaultFlags: requestOf(words[2]), pfnFlagsMask: requestOf(words[3]) }
      return { op, start, end, ...flags, race: words[4] === 'race', snapshot: words[4] === 'snap', ownerAt, requests }
    }
    case 'iv': {
      const what = oneOf(0, IV, 'the call')
      return { op, what, k: number(1), ...(what === 'insert' ? pages(2) : { start: page(0), end: page(0) }) }
    }
    case 'inv': {
      const what = oneOf(0, INV, 'the call')
      return { op, what, k: number(1), ...(what === 'end' ? { start: page(0), end: page(0) } : pages(2)) }
    }
    default:
      return refuse(`the model does not know '${op}' yet`)
  }
}
