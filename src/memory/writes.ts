/**
 * What a fact writes: a part of memory by name, and the indices there, [from, to). A part without indices is written as a
 * whole: 0 to 1. What a fact counts up or down and no more commutes with others that do the same.
 */
import { PMD_PAGES, type Level } from './address.ts'
import type { Fact } from './facts.ts'

/** Of an address space, its tables, areas, TLB and open files; of a file, its pages and what else is known of it. */
export type Part = Level | 'tlb' | 'vmas' | 'open' | 'frames' | 'swap' | 'pool' | 'file' | 'size' | 'device' | 'pagemap' | 'batches'

const LEVELS: ReadonlySet<string> = new Set(['pte', 'pmd', 'pud', 'pgd'])
export const isLevel = (part: Part): part is Level => LEVELS.has(part)

export type Emit = (part: Part, name: string, from: number, to: number, counts: boolean) => void

export function writes(fact: Fact, emit: Emit): void {
  switch (fact[0]) {
    case 'pte':
    case 'pmd':
    case 'pud':
    case 'pgd':
      return emit(fact[0], fact[1], fact[2], fact[2] + fact[3], fact[4] === 'table')
    case 'tlb':
      return emit('tlb', fact[1], fact[2], fact[2] + fact[3], false)
    case 'clear_bad':
      return emit(fact[2], fact[1], fact[3], fact[3] + 1, false)
    case 'vmas':
    case 'mm':
      return emit('vmas', fact[1], 0, 1, false)
    case 'open':
      return emit('open', fact[1], 0, 1, false)
    case 'alloc':
    case 'lock':
      return emit('frames', '', fact[1], fact[1] + 1, false)
    case 'folio':
    case 'split':
      return emit('frames', '', fact[1], fact[1] + PMD_PAGES, false)
    case 'refs':
    case 'maps':
    case 'hugeMaps':
      return emit('frames', '', fact[1], fact[1] + fact[2], true)
    case 'state':
    case 'content':
    case 'anonVma':
    case 'index':
    case 'lru':
      return emit('frames', '', fact[1], fact[1] + fact[2], false)
    case 'swap':
    case 'swap-cache':
      return emit('swap', '', fact[1], fact[1] + 1, false)
    case 'swap-refs':
      return emit('swap', '', fact[1], fact[1] + 1, true)
    case 'reserved':
      return emit('pool', '', 0, 1, true)
    case 'promised':
    case 'blocks':
    case 'dax':
      return emit('file', fact[1], fact[2], fact[2] + fact[3], false)
    case 'cache':
      return emit('file', fact[1], fact[2], fact[2] + 1, false)
    case 'fget':
    case 'file-lock':
      return emit('size', fact[1], 0, 1, true)
    case 'file':
    case 'size':
    case 'release':
      return emit('size', fact[1], 0, 1, false)
    case 'device':
    case 'device-alloc':
    case 'device-folio':
      return emit('device', fact[1], 0, 1, false)
    case 'pagemap-kill':
      return emit('pagemap', fact[1], 0, 1, false)
    case 'pagemap':
      return emit('pagemap', fact[1], 0, 1, true)
    case 'batch':
      return emit('batches', '', 0, 1, true)
    case 'drain':
      return emit('batches', '', 0, 1, false)
  }
}

/** The frames that a fact leads to, or speaks of beside what it writes: [from, to). */
export function framesNamed(fact: Fact): readonly [from: number, to: number] | undefined {
  switch (fact[0]) {
    case 'pte':
    case 'pmd':
    case 'pud':
    case 'pgd':
    case 'tlb': {
      const [level, , , count, word, frame, step] = fact
      if (word === 'none' || word === 'table' || word.startsWith('!swap')) return undefined
      const pages = level === 'pmd' ? PMD_PAGES : level === 'pud' ? PMD_PAGES * PMD_PAGES : 1
      return [frame, frame + (count - 1) * step + pages]
    }
    case 'device-folio':
      return [fact[2], fact[2] + PMD_PAGES]
    case 'device-alloc':
    case 'batch':
    case 'swap-cache':
      return [fact[2], fact[2] + 1]
    case 'blocks':
      return fact[4] > 0 ? [fact[4], fact[4] + fact[3]] : undefined
    case 'cache':
      return fact[3] === 'none' ? undefined : [fact[4], fact[4] + 1]
    default:
      return undefined
  }
}
