/** Statements as they are typed: `munmap 16-19`, `madvise 16 dontneed`, `write 16 42`, `fault 16 write`. */
import { Table } from '../../memory/table.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../../walker/hmm.ts'
import { Mistake } from './session.ts'

interface Typed {
  readonly mm: string
  readonly start: number
  readonly end: number
  readonly arg: string
}
/** What each call is made of; `arg` is what may stand behind the pages, and what it may be. */
const CALLS: Readonly<Record<string, { readonly arg?: RegExp; readonly usage: string; make(typed: Typed): object }>> = {
  mmap: {
    arg: /^(|-|r|w|x|rw|rx|wx|rwx)$/,
    usage: 'mmap PAGES [rw]',
    make: ({ mm, start, end, arg }) => ({ do: 'mmap', mm, start, end, prot: arg === '' ? 'rw' : arg, shared: false, of: 'anon' }),
  },
  munmap: { usage: 'munmap PAGES', make: ({ mm, start, end }) => ({ do: 'munmap', mm, start, end }) },
  mprotect: {
    arg: /^(-|r|w|x|rw|rx|wx|rwx)$/,
    usage: 'mprotect PAGES r|rw|-',
    make: ({ mm, start, end, arg }) => ({ do: 'mprotect', mm, start, end, prot: arg }),
  },
  madvise: {
    arg: /^[a-z_]+$/,
    usage: 'madvise PAGES dontneed|…',
    make: ({ mm, start, end, arg }) => ({ do: 'madvise', mm, start, end, advice: arg }),
  },
  mlock: { usage: 'mlock PAGES', make: ({ mm, start, end }) => ({ do: 'mlock', mm, start, end }) },
  munlock: { usage: 'munlock PAGES', make: ({ mm, start, end }) => ({ do: 'munlock', mm, start, end }) },
  read: { usage: 'read PAGES', make: ({ start, end }) => ({ do: 'load', at: start, end }) },
  write: {
    arg: /^\d+$/,
    usage: 'write PAGES NUMBER',
    make: ({ start, end, arg }) => ({ do: 'store', at: start, end, value: Number(arg) }),
  },
  fault: {
    arg: /^(|read|write)$/,
    usage: 'fault PAGES [write]',
    make: ({ start, end, arg }) => ({
      start,
      end,
      defaultFlags: arg === 'write' ? HMM_PFN_VALID | HMM_PFN_WRITE : HMM_PFN_VALID,
      pfnFlagsMask: 0,
      owned: null,
      requests: Table.empty,
      attempts: null,
    }),
  },
}

export const callNames: readonly string[] = Object.keys(CALLS)

/** The statement that words say; pages are those of an address space. */
export function statementOf(mm: string, [name = '', pages = '', arg = '', ...more]: readonly string[]): object {
  const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined
  const usages = Object.values(CALLS).map(({ usage }) => usage)
  if (call === undefined) throw new Mistake(`expected one of: ${usages.join(', ')}; got '${name}'`)
  const span = /^(\d+)(?:[-–](\d+))?$/.exec(pages)
  if (span === null || more.length > 0 || !(call.arg ?? /^$/).test(arg))
    throw new Mistake(`expected ${call.usage}, got '${[name, pages, arg, ...more].join(' ').trim()}'`)
  const start = Number(span[1])
  const end = Number(span[2] ?? start) + 1
  if (end <= start) throw new Mistake(`expected pages from the first to the last, got '${pages}'`)
  return call.make({ mm, start, end, arg })
}
