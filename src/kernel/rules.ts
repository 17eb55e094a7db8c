/** The rules of all items, put together. */
import type { Kernel } from './advance.ts'
import type { Rules } from './agenda.ts'
import { collapseRules } from './pages/collapse.ts'
import { cowRules } from './faults/cow.ts'
import { exclusiveCatchers, exclusiveRules } from './test-hmm/exclusive.ts'
import { daxCatchers, daxRules } from './dax/dax.ts'
import { daxIoRules } from './dax/dax-io.ts'
import { daxWritebackRules } from './dax/dax-writeback.ts'
import { devdaxRules } from './dax/devdax.ts'
import { pagemapRules } from './dax/pagemap.ts'
import { dmirrorRules } from './test-hmm/dmirror.ts'
import { dmirrorFileRules } from './test-hmm/dmirror-file.ts'
import { dmirrorMigrateRules } from './test-hmm/dmirror-migrate.ts'
import { dmirrorSnapshotRules } from './test-hmm/dmirror-snapshot.ts'
import { faultRules } from './faults/fault.ts'
import type { MmName } from '../memory/memory.ts'
import { fileRules } from './files/file.ts'
import { fileLockRules } from './files/file-lock.ts'
import { fileIoRules } from './files/file-io.ts'
import { filemapRules } from './faults/filemap.ts'
import { forkRules } from './areas/fork.ts'
import { gupCatchers, gupRules } from './faults/gup.ts'
import { gupFastRules } from './faults/gup-fast.ts'
import { hmmRules } from './faults/hmm.ts'
import { hmmDmaRules } from './faults/hmm-dma.ts'
import { hmmDmaMapRules } from './faults/hmm-dma-map.ts'
import { hmmVmaCatchers, hmmVmaRules } from './faults/hmm-vma.ts'
import { hmmCatchers5_2, hmmRules5_2 } from './faults/hmm-5-2.ts'
import { hugeRules } from './faults/huge.ts'
import { hugeCowRules } from './faults/huge-cow.ts'
import { hugetlbRules } from './hugetlb/hugetlb.ts'
import { hugetlbVmaRules } from './hugetlb/hugetlb-vma.ts'
import { lockCatchers, lockRules } from './locks.ts'
import { lruBatchRules } from './pages/lru-batch.ts'
import { madviseRules } from './areas/madvise.ts'
import { madviseLruRules } from './pages/madvise-lru.ts'
import { migrateRules } from './pages/migrate.ts'
import { mlockRules } from './areas/mlock.ts'
import { mmapRules } from './areas/mmap.ts'
import { mprotectRules } from './areas/mprotect.ts'
import { mremapRules } from './areas/mremap.ts'
import { munmapRules } from './areas/munmap.ts'
import { numaRules } from './areas/numa.ts'
import { oomCatchers, oomRules } from './areas/oom.ts'
import { notifierRules } from './notifiers.ts'
import type { Profile } from './profiles.ts'
import { reclaimRules } from './pages/reclaim.ts'
import { splitRules } from './pages/split.ts'
import { truncateRules } from './files/truncate.ts'
import { zapRules } from './areas/zap.ts'

const rules: Rules = {
  ...lockRules,
  ...notifierRules,
  ...mmapRules,
  ...munmapRules,
  ...zapRules,
  ...mprotectRules,
  ...mlockRules,
  ...lruBatchRules,
  ...madviseRules,
  ...madviseLruRules,
  ...reclaimRules,
  ...mremapRules,
  ...faultRules,
  ...collapseRules,
  ...cowRules,
  ...daxRules,
  ...daxIoRules,
  ...daxWritebackRules,
  ...devdaxRules,
  ...exclusiveRules,
  ...forkRules,
  ...splitRules,
  ...migrateRules,
  ...dmirrorRules,
  ...dmirrorFileRules,
  ...dmirrorMigrateRules,
  ...dmirrorSnapshotRules,
  ...hugeRules,
  ...hugeCowRules,
  ...hugetlbRules,
  ...hugetlbVmaRules,
  ...fileRules,
  ...fileIoRules,
  ...fileLockRules,
  ...filemapRules,
  ...truncateRules,
  ...gupRules,
  ...gupFastRules,
  ...numaRules,
  ...oomRules,
  ...pagemapRules,
  ...hmmRules,
  ...hmmVmaRules,
  ...hmmRules5_2,
  ...hmmDmaRules,
  ...hmmDmaMapRules,
}

/** Is this what a statement of a program can be called? */
export const isStatement = (what: unknown): boolean =>
  typeof what === 'string' && (what === 'load' || what === 'store' || Object.hasOwn(rules, what))

/** The kernel of a profile. `threads`: how many run in each address space. */
export const kernelOf = (profile: Profile, threads: ReadonlyMap<MmName, number> = new Map()): Kernel => ({
  rules,
  catchers: { ...lockCatchers, ...daxCatchers, ...oomCatchers, ...gupCatchers, ...exclusiveCatchers, ...hmmVmaCatchers, ...hmmCatchers5_2 },
  profile,
  threads,
})
