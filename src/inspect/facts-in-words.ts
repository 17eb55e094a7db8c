/** Facts in words: what a step changed in memory, as far as it is news. */
import { pageAt, PMD_PAGES, type Level } from '../memory/address.ts'
import type { Fact } from '../memory/facts.ts'
import { pagesIn } from '../memory/memory.ts'
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../memory/vma.ts'
import { isZero } from './even.ts'
import { pages } from './pages.ts'

/** Frames from one on, each `step` behind the one before. */
export const frames = (first: number, count: number, step = 1): string => {
  const last = first + (count - 1) * step
  if (isZero(first)) return 'the zero page'
  return first === last ? `#${first}` : step === -1 ? `#${first} down to #${last}` : `#${first}–${last}`
}

/** Facts in words; those that only keep count of others are left out. */
export const told = (facts: readonly Fact[]): readonly string[] => {
  const all = facts.map(factInWords).filter(s => s !== '')
  return all.length > 6 ? [...all.slice(0, 5), `and ${all.length - 5} more`] : all
}

/** Whose pages they are, unless they are the first process's. */
const inMm = (mm: string): string => (mm === 'mm0' ? '' : `${mm}: `)

export function factInWords(fact: Fact): string {
  switch (fact[0]) {
    case 'pte': {
      const [, mm, first, count, word, target, step] = fact
      const where = `${inMm(mm)}${pages(first, first + count)} :=`
      const each = step === 0 && count > 1 && !isZero(target) ? ' each' : ''
      if (word === 'none') return `${where} none`
      if (word.startsWith('!swap')) return `${where} ${word.slice(1)} (slot ${target})`
      if (word.startsWith('!')) return `${where} ${word.slice(1)} of ${frames(target, count, step)}`
      return `${`${where} ${frames(target, count, step)} ${word.slice(1)}`.trimEnd()}${each}`
    }
    case 'pmd':
    case 'pud':
    case 'pgd': {
      const [level, mm, index, count, word, target] = fact
      const where = `${inMm(mm)}${whereOf(level, index, count)}`
      // Those behind the first are of consecutive frames, too.
      const size = pageAt(level, index + count) - pageAt(level, index)
      return word === 'table' || word === 'none' ? '' : `${where} := ${frames(target, size)} ${word.slice(1)}`.trimEnd()
    }
    case 'device':
      return `memory of ${fact[1]}`
    case 'mm':
      return fact[2] ? `address space ${fact[1]}` : `${fact[1]} is gone`
    case 'alloc':
      return fact[5] === 0 ? '' : `#${fact[1]} = ${fact[5]}`
    case 'folio':
      return `${frames(fact[1], PMD_PAGES)} as one`
    case 'split':
      return `${frames(fact[1], PMD_PAGES)} fall apart`
    case 'content':
      return fact[2] === 1 ? `#${fact[1]} = ${fact[3]}` : `${frames(fact[1], fact[2])} = ${fact[3]} …`
    case 'vmas':
      return (
        fact[4].map(v => `area ${pages(v.start, v.end)} ${rights(v.flags)}`).join(', ') ||
        `${fact[3]} ${fact[3] === 1 ? 'area' : 'areas'} gone`
      )
    case 'swap':
      return `slot ${fact[1]} = ${fact[2]}`
    case 'refs':
      return Math.abs(fact[3]) >= 1024 ? `#${fact[1]} ${fact[3] > 0 ? 'pinned' : 'unpinned'}` : ''
    case 'file':
      return fact[2] === null ? `${fact[1]} is gone` : fact[2].size === 0 ? `file ${fact[1]}` : `${fact[1]} of ${pagesIn(fact[2])} pages`
    case 'size':
      return `${fact[1]} of ${fact[2]} bytes`
    case 'blocks':
      return fact[4] === 0
        ? `${fact[1]} has holes at ${pages(fact[2], fact[2] + fact[3])}`
        : `${fact[1]} has ${frames(fact[4], fact[3])} at ${fact[2]}`
    case 'pagemap':
      return `page map of ${fact[1]} ${fact[2] > 0 ? 'held' : 'let go'}`
    case 'pagemap-kill':
      return `page map of ${fact[1]} is dying`
    case 'clear_bad':
      return `${whereOf(fact[2], fact[3], 1)} := none, as damage`
    case 'drain':
    case 'lru':
    case 'batch':
    case 'tlb':
    case 'dax':
    case 'cache':
    case 'maps':
    case 'hugeMaps':
    case 'state':
    case 'anonVma':
    case 'lock':
    case 'device-alloc':
    case 'device-folio':
    case 'open':
    case 'fget':
    case 'release':
    case 'file-lock':
    case 'index':
    case 'swap-refs':
    case 'swap-cache':
    case 'reserved':
    case 'promised':
      return ''
  }
}

const rights = (flags: number): string =>
  `${(flags & VM_READ) === 0 ? '-' : 'r'}${(flags & VM_WRITE) === 0 ? '-' : 'w'}${(flags & VM_EXEC) === 0 ? '-' : 'x'}${(flags & VM_SHARED) === 0 ? 'p' : 's'}`

const whereOf = (level: Level, index: number, count: number): string => pages(pageAt(level, index), pageAt(level, index + count))
