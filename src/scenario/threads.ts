/** What the threads of a scenario are told: system calls, loads and stores, and commands of the HMM test driver, as statements. */
import type { Item, MapOf, SystemCalls } from '../kernel/agenda.ts'
import type { Profile } from '../kernel/profiles.ts'
import type { Statement } from '../kernel/thread.ts'
import { page, type Pages } from '../memory/address.ts'
import { PAGE_SIZE, type MmName } from '../memory/memory.ts'
import type { ActorName } from '../system/actor.ts'
import type { MirrorDriver } from './drivers.ts'
import type { Child, Command, FilePages, MmapOptions, Mirror, OpenFile, OpenOptions, StatementRef, Thread } from './api.ts'

/** Where statements are written to, and new names come from. */
export interface Writing {
  add(by: ActorName, statement: Statement): StatementRef
  /** A place for so many pages: behind everything mapped so far, unless one is asked for. */
  place(pages: number, at: number | undefined): Pages
  child(): { readonly mm: MmName; readonly thread: Thread }
  /** An open file of the test driver: of ours, unless another machine is named. */
  mirror(driver: MirrorDriver | undefined): ActorName
  /** Refuses what the kernel is not able to do. */
  needs(able: boolean, what: string): void
}

const mapOf = ({ of, offset = 0 }: MmapOptions): MapOf =>
  of === undefined ? 'anon' : of === 'hugetlb' ? of : { file: of.file, pgoff: offset }

/** Commands of the test driver that take pages and nothing else. */
type PageCommand = {
  [D in keyof SystemCalls]: SystemCalls[D] extends { readonly device: ActorName; readonly start: unknown }
    ? SystemCalls[D] extends { readonly value: number }
      ? never
      : D
    : never
}[keyof SystemCalls]

export function threadOf(to: Writing, name: ActorName, mm: MmName, profile: Profile): Thread {
  const add = (statement: Statement): StatementRef => to.add(name, statement)
  const at = ({ start, end }: Pages): Pages & { readonly mm: MmName } => ({ mm, start, end })
  const onFile = ({ file }: OpenFile, { start, end }: FilePages): FilePages & OpenFile => ({ file, start, end })
  return {
    name,
    mmap: options => {
      const { pages, prot = 'rw', shared = false, fails } = options
      const place = to.place(pages, options.at)
      return { ...add({ do: 'mmap', mm, ...place, prot, shared, of: mapOf(options), ...(fails === undefined ? {} : { fails }) }), ...place }
    },
    munmap: pages => add({ do: 'munmap', ...at(pages) }),
    mprotect: (pages, prot) => add({ do: 'mprotect', ...at(pages), prot }),
    madvise: (pages, advice) => add({ do: 'madvise', ...at(pages), advice }),
    mremap: (pages, options = {}) => {
      const old = pages.end - pages.start
      const place = to.place(options.pages ?? old, options.at)
      return { ...add({ do: 'mremap', mm, from: pages.start, old, to: place.start, pages: place.end - place.start }), ...place }
    },
    mlock: pages => add({ do: 'mlock', ...at(pages) }),
    munlock: pages => add({ do: 'munlock', ...at(pages) }),
    read: pages => add({ do: 'load', at: pages.start, end: pages.end }),
    write: (pages, value) => add({ do: 'store', at: pages.start, end: pages.end, value }),
    gup: (pages, { get, fast, ...flags } = {}) =>
      add({
        do: fast === true ? 'get_user_pages_fast' : 'get_user_pages',
        ...at(pages),
        flags: get === false ? flags : { take: 'get', ...flags },
      }),
    devm_memremap_pages_release: pagemap => add({ do: 'devm_memremap_pages_release', pagemap }),
    change_prot_numa: pages => add({ do: 'change_prot_numa', ...at(pages) }),
    oom_reap_task_mm: () => add({ do: 'oom_reap_task_mm', mm }),
    fork: (): Child => {
      const { mm: child, thread } = to.child()
      return { ...thread, ...add({ do: 'fork', mm, child, thread: thread.name }) }
    },
    exit: () => add({ do: 'exit', mm }),
    open: (file, options) => {
      to.needs(options.pfnMap !== false || options.fs === 'dax', `pfnMap is said of files on DAX, not of ${options.fs}`)
      to.needs(options.pfnMap !== false || !profile.daxNeedsPagemap, 'its files are on DAX only where the device has a page map')
      to.needs(options.fs !== 'devdax' || profile.hasDevdax, 'it has no device-DAX')
      return opened(add, mm, file, options)
    },
    close: ({ file }) => add({ do: 'close', mm, file }),
    truncate: ({ file }, pages) => add({ do: 'ftruncate', file, size: pages * PAGE_SIZE }),
    punch: (file, pages) => add({ do: 'punch_hole', ...onFile(file, pages) }),
    pread: (file, pages) => ({ ...add({ do: 'pread', ...onFile(file, pages) }), start: page(pages.start), end: page(pages.end) }),
    pwrite: (file, pages, value) => add({ do: 'pwrite', ...onFile(file, pages), value, bytes: 8 }),
    killPagemap: pagemap => add({ do: 'dev_pagemap_kill', pagemap }),
    memunmapPages: pagemap => add({ do: 'memunmap_pages', pagemap }),
    openDevice: (number = 0, { driver } = {}) => {
      to.needs(profile.hasHmm, 'it has no HMM, and so no test driver of it')
      const who = to.mirror(driver)
      const device = `hmm_dmirror${number}`
      add({ do: 'dmirror_open', who, mm, device })
      return mirrorOf(to, name, { who, mm, device })
    },
  }
}

/** A file of a size, filled or a hole; on DAX, what is filled has blocks first, as large as they can be. */
function opened(add: (s: Statement) => StatementRef, mm: MmName, file: string, { fs, pages = 0, fill, pfnMap }: OpenOptions): OpenFile {
  add({ do: 'open', mm, file, kind: fs, ...(pfnMap === undefined ? {} : { pfnMap }) })
  if (pages > 0) add({ do: 'ftruncate', file, size: pages * PAGE_SIZE })
  if (fill !== undefined && pages > 0) {
    if (fs === 'dax') add({ do: 'fallocate', file, start: 0, end: pages })
    add({ do: 'pwrite', file, start: 0, end: pages, value: fill, bytes: PAGE_SIZE })
  }
  return { file }
}

function mirrorOf(to: Writing, by: ActorName, mirror: Omit<Item<'dmirror_release'>, 'do'>): Mirror {
  const command = (what: PageCommand, { start, end }: Pages): Command => ({
    ...to.add(by, { do: what, ...mirror, start, end }),
    start,
    end,
  })
  return {
    file: mirror.who,
    read: pages => command('dmirror_read', pages),
    write: ({ start, end }, value) => ({ ...to.add(by, { do: 'dmirror_write', ...mirror, start, end, value }), start, end }),
    migrateToDevice: pages => command('dmirror_migrate_to_device', pages),
    migrateToSystem: pages => command('dmirror_migrate_to_system', pages),
    snapshot: pages => command('dmirror_snapshot', pages),
    exclusive: pages => command('dmirror_exclusive', pages),
    checkExclusive: pages => command('dmirror_check_exclusive', pages),
    release: () => to.add(by, { do: 'dmirror_release', ...mirror }),
    close: () => to.add(by, { do: 'close', mm: mirror.mm, file: mirror.who }),
    usedBy: thread => mirrorOf(to, thread.name, mirror),
  }
}
