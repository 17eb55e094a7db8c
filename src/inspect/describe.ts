/**
 * Steps in words: one short line each, as an engineer would say it. What a rule or a machine of the user's does, which
 * this file knows nothing of, is told by its name, its calls and its facts.
 */
import { PAGE_LIMIT } from '../memory/address.ts'
import { frameOf } from '../memory/entry.ts'
import type { Fact } from '../memory/facts.ts'
import { Table } from '../memory/table.ts'
import { entryInWords } from './entries.ts'
import { evenRuns } from './even.ts'
import { frames, told } from './facts-in-words.ts'
import { pages } from './pages.ts'
import { phraseFor } from './phrases.ts'
import { HMM_PFN_ERROR, HMM_PFN_VALID } from '../walker/hmm.ts'

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
  const agenda = (event['agenda'] as readonly Fields[] | undefined) ?? []
  // A page map is put on the way.
  const [next, then] = agenda[0]?.['do'] === 'put_dev_pagemap' ? agenda.slice(1) : agenda
  switch (next?.['do']) {
    case 'hmm_vma_fault': {
      const [at, end] = [number(next, 'at'), number(next, 'end')]
      return `: ${pages(at, end)} ${end - at === 1 ? 'has' : 'have'} to be faulted in`
    }
    case 'folio_wait_locked':
      return then === undefined ? '' : `: has to wait for ${number(then, 'last')}, which is on its way`
    case 'hmm_range_again':
      return `: has to walk again from ${number(next, 'last')}`
    // One area is done, and the next begins; and those whose `last` is the page where they go on.
    case 'hmm_range_fault':
    case 'walk_page_range':
    case 'hmm_vma_walk_range':
      return ` as far as ${number(next, 'last') - 1}`
    case 'hmm_walk_area':
      return areaWalkedTo(next)
    default:
      return ''
  }
}

/**
 * This one goes on at `at`; its `last` is what counts as processed. Of two walks of an area the first is for nothing: nothing is
 * done then that was not done before.
 */
function areaWalkedTo(next: Fields): string {
  const at = number(next, 'at')
  const isDone = 'again' in next || at > number(next['range'] as Fields, 'start')
  return isDone ? ` as far as ${at - 1}` : `, and has to walk again from ${at}`
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
  const list = [...evenRuns(table, start, end)].map(even => {
    const at = pages(even.from, even.end)
    return (even.entry & HMM_PFN_VALID) === 0
      ? `${at}${(even.entry & HMM_PFN_ERROR) === 0 ? '' : ' E'}`
      : `${at} → ${entryInWords(even.entry, true, even)}`
  })
  return list.length === 0 ? 'nothing' : list.length > 6 ? `${list.slice(0, 5).join(', ')} and ${list.length - 5} more` : list.join(', ')
}
