/**
 * Steps in words: one short line each, as an engineer would say it. What a rule or a machine of the user's does, which
 * this file knows nothing of, is told by its name, its calls and its facts.
 */
import { PAGE_LIMIT, pageAt, PMD_PAGES, type Level } from '../memory/address.ts'
import { frameOf } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import { pagesIn, ZERO_PFN } from '../memory/memory.ts'
import { Table } from '../memory/table.ts'
import { VM_EXEC, VM_READ, VM_SHARED, VM_WRITE } from '../memory/vma.ts'
import { phraseFor } from './phrases.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'

/** What is needed of a step to describe it; an entry of a run has it, a folded record all but the calls. */
export interface Described {
  readonly do: string
  readonly event: Readonly<Record<string, unknown>> & { readonly type: string }
  readonly calls: readonly { readonly to: string; readonly event: object; readonly reply: unknown }[]
  readonly facts: readonly Fact[]
}

export interface Words {
  readonly text: string
  /** Bookkeeping: locks, and what only prepares something. */
  readonly quiet: boolean
}

const QUIET = new Set([
  'mmap_read_lock',
  'mmap_write_lock',
  'mmap_write_downgrade',
  'mmap_unlock',
  'mmap_read_unlock',
  'anon_vma_prepare',
  'vma_set',
  'free_pgtables',
  'hmm_range_fault',
  'hmm_range_register',
  'hmm_range_unregister',
  'return',
])

/** Pages as a person counts them: `16`, `16–19`. */
export const pages = (start: number, end: number): string => (end - start === 1 ? `${start}` : `${start}–${end - 1}`)

type Fields = Readonly<Record<string, unknown>>
const number = (fields: Fields, key: string): number => Number(fields[key])
const span = (fields: Fields): string => pages(number(fields, 'start'), number(fields, 'end'))

export function describe(step: Described): Words {
  const told = [...did(step), ...answer(step.event)].filter(s => s !== '').join('; ')
  const ended = step.event.type === 'returned' || step.event.type === 'signal'
  const prepares = QUIET.has(step.do) || (step.do === 'handle_mm_fault' && makesTables(step.facts))
  return { text: told, quiet: prepares && !ended }
}

/** Does it make page tables, and nothing else? */
const makesTables = (facts: readonly Fact[]): boolean =>
  facts.length > 0 && facts.every(fact => /^p[gum]d$/.test(fact[0]) && fact[4] === 'table')

/** What was done: in words of its own where there are any, else by name. */
function did({ do: what, event, calls, facts }: Described): readonly string[] {
  const first = (calls[0]?.event ?? {}) as Fields
  const to = calls[0]?.to ?? ''
  switch (what) {
    case 'mmap_read_lock':
      return ['takes mmap_lock for reading']
    case 'mmap_write_lock':
      return ['takes mmap_lock for writing']
    case 'mmap_write_downgrade':
      return ['keeps mmap_lock for reading only']
    case 'mmap_unlock':
    case 'mmap_read_unlock':
      return ['drops mmap_lock']
    case 'invalidate_range_start':
      return [`notifies: ${String(first['event'])} of ${span(first)} begins`]
    case 'invalidate_range_end':
      return [
        calls[0]?.reply === null
          ? 'moves the sequence on, with notifiers still to be removed or inserted'
          : `notifies: ${String(first['event'])} of ${span(first)} is over`,
      ]
    case 'invalidate':
    case 'sync_cpu_device_pagetables':
      return [calls[0]?.reply === false ? `${to} declines to invalidate ${span(first)}` : `has ${to} invalidate ${span(first)}`]
    case 'notifier_range_start':
      return [`tells ${to} that it begins`]
    case 'notifier_range_end':
      return [`tells ${to} that it is over`]
    case 'page_fault':
      return [`page fault at ${String(event['at'])}`]
    case 'device_fault':
      return ['the device faults']
    case 'mmap_region':
      return told(facts)
    case 'detach_vmas':
      return ['takes the areas out']
    case 'handle_mm_fault':
      return [makesTables(facts) ? 'makes page tables' : `faults in ${told(facts).join(', ') || 'nothing new'}`]
    case 'handle_pte_fault':
    case 'do_huge_pmd_anonymous_page':
    case 'finish_fault':
      return [`faults in ${told(facts).join(', ') || 'nothing new'}`]
    case 'unmap_page_range':
      return [`unmaps ${told(facts).join(', ').replaceAll(' := none', '')}`]
    case 'anon_vma_prepare':
      return ['gives the area an anon_vma']
    case 'free_pgtables':
      return ['frees page tables']
    case 'mmu_interval_read_begin':
      return [
        `reads the sequence: ${Number(event['seq'] ?? calls[0]?.reply)}${event['busy'] === true ? ', an invalidation is in flight' : ''}`,
      ]
    case 'hmm_range_fault':
      return ['asks whether it was invalidated']
    case 'walk_page_range':
    case 'hmm_walk_area':
    case 'hmm_vma_walk_range':
      return [`walks${walkedTo(event)}`]
    case 'hmm_range_register':
      return ['registers its range']
    case 'hmm_range_unregister':
      return ['unregisters its range']
    case 'hmm_range_wait_until_valid':
      return ['sees that its range is valid']
    case 'wait_event':
      return ['goes on: the sequence has moved']
    case 'driver_lock':
      return [`takes the lock of ${to}`]
    case 'driver_unlock':
      return [`drops the lock of ${to}`]
    case 'mmu_interval_read_retry':
    case 'hmm_range_valid':
      return [event['stale'] === true ? 'was invalidated: begins again' : 'not invalidated, as far as it can tell']
    case 'commit':
      return [`maps on ${to}: ${words(first['pfns'] as Table, number(first, 'start'), number(first, 'end'))}`]
    case 'time_passes':
      return ['its time is over']
    case 'translate':
      return [
        `translates ${number(first, 'page')}: ${event.type === 'translated' ? frames(frameOf(number(event, 'word')), 1) : 'nothing, a fault'}`,
      ]
    case 'device_read':
    case 'device_write':
      return [what === 'device_read' ? 'the device reads' : `the device writes ${told(facts).join(', ')}`]
    case 'return':
      return ['done']
    case 'load':
      return ['reads']
    case 'store':
      return [`writes ${told(facts).join(', ')}`]
    default:
      return [event.type === 'syscall' ? systemCall(what, event) : phraseFor(what), ...told(facts)]
  }
}

/** A system call with its arguments: `madvise(16–19, dontneed)`. */
function systemCall(what: string, event: Described['event']): string {
  const item = ((event['agenda'] as readonly Fields[] | undefined) ?? [])[0] ?? {}
  const rest = ['prot', 'advice', 'to', 'pages', 'who', 'file'].flatMap(key => (key in item ? [String(item[key])] : []))
  const at =
    'start' in item ? [span(item)] : 'from' in item ? [pages(number(item, 'from'), number(item, 'from') + number(item, 'old'))] : []
  return `${what}(${[...at, ...rest].join(', ')})`
}

/** How far a walk has come, and what it needs before it can go on; a walk that is over says what it found. */
function walkedTo(event: Described['event']): string {
  const next = ((event['agenda'] as readonly Fields[] | undefined) ?? [])[0]
  if (next !== undefined && /^(walk_page_range|hmm_walk_area|hmm_vma_walk_range)$/.test(String(next['do'])))
    return ` as far as ${number(next, 'last') - 1}`
  return next?.['do'] === 'hmm_vma_fault' ? `: ${pages(number(next, 'at'), number(next, 'end'))} has to be faulted in` : ''
}

/** What the machine was told, where that is news. */
function answer(event: Described['event']): readonly string[] {
  switch (event.type) {
    case 'returned':
    case 'ended':
      return [typeof event['err'] === 'string' ? `→ ${event['err']}` : `→ ${Number(event['ret'] ?? 0)}`]
    case 'signal':
      return [`→ SIG${String(event['sig'])} at ${String(event['at'])}`]
    case 'accessed': {
      const values = event['values'] as readonly number[]
      return values.length === 0
        ? []
        : [`→ ${values.length > 8 ? `${values.slice(0, 8).join(' ')} … (${values.length})` : values.join(' ')}`]
    }
    case 'walked':
      return [
        typeof event['fail'] === 'string'
          ? `→ ${event['fail']}`
          : event['array'] instanceof Table
            ? `finds ${words(event['array'], 0, PAGE_LIMIT)}`
            : '',
      ]
    default:
      return []
  }
}

/** The words of a device's table, or of a walk: `16 → #2 W`. */
function words(table: Table, start: number, end: number): string {
  const list = [...table.runs(start, end)].map(([first, count, word]) => {
    const flags = `${(word & HMM_PFN_WRITE) === 0 ? '' : ' W'}${(word & HMM_PFN_ERROR) === 0 ? '' : ' E'}`
    const at = pages(first, first + count)
    return (word & HMM_PFN_VALID) === 0 ? `${at}${flags}` : `${at} → ${frames(frameOf(word), count)}${flags}`
  })
  return list.length === 0 ? 'nothing' : list.length > 6 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more` : list.join(', ')
}

const frames = (first: number, count: number): string =>
  first === ZERO_PFN ? 'the zero page' : count === 1 ? `#${first}` : `#${first}–${first + count - 1}`

/** Facts in words; those that only keep count of others are left out. */
const told = (facts: readonly Fact[]): readonly string[] => {
  const all = facts.map(factInWords).filter(s => s !== '')
  return all.length > 6 ? [...all.slice(0, 5), `and ${all.length - 5} more`] : all
}

/** Whose pages they are, unless they are the first process's. */
const inMm = (mm: string): string => (mm === 'mm0' ? '' : `${mm}: `)

export function factInWords(fact: Fact): string {
  switch (fact[0]) {
    case 'pte': {
      const [, mm, first, count, word, target, step] = fact
      const where = `${inMm(mm)}${pages(first, first + count)}`
      if (word === 'none') return `${where} := none`
      if (word.startsWith('!swap')) return `${where} := ${word.slice(1)} (slot ${target})`
      if (word.startsWith('!')) return `${where} := ${word.slice(1)} of ${frames(target, step === 0 ? 1 : count)}`
      return `${where} := ${frames(target, step === 0 ? 1 : count)} ${word.slice(1)}`.trimEnd()
    }
    case 'pmd':
    case 'pud':
    case 'pgd': {
      const [level, mm, index, count, word] = fact
      const where = `${inMm(mm)}${whereOf(level, index, count)}`
      return word === 'table' || word === 'none' ? '' : `${where} := ${frames(fact[5], PMD_PAGES)} ${word.slice(1)}`.trimEnd()
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

/** Does a fact speak of this page of any address space? */
export function touches(fact: Fact, p: number): boolean {
  switch (fact[0]) {
    case 'pte':
    case 'pmd':
    case 'pud':
    case 'pgd':
      return pageAt(fact[0], fact[2]) <= p && p < pageAt(fact[0], fact[2] + fact[3])
    case 'vmas':
      return fact[4].some(v => v.start <= p && p < v.end)
    default:
      return false
  }
}
