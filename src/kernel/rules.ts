/** The rules of all items, put together. */
import type { Kernel } from './advance.ts'
import type { Rules } from './agenda.ts'
import { collapseRules } from './collapse.ts'
import { cowRules } from './cow.ts'
import { exclusiveCatchers, exclusiveRules } from './exclusive.ts'
import { daxRules } from './dax.ts'
import { daxIoRules } from './dax-io.ts'
import { daxWritebackRules } from './dax-writeback.ts'
import { devdaxRules } from './devdax.ts'
import { dmirrorRules } from './dmirror.ts'
import { dmirrorFileRules } from './dmirror-file.ts'
import { dmirrorMigrateRules } from './dmirror-migrate.ts'
import { dmirrorSnapshotRules } from './dmirror-snapshot.ts'
import { faultRules } from './fault.ts'
import { fileRules } from './file.ts'
import { fileIoRules } from './file-io.ts'
import { filemapRules } from './filemap.ts'
import { forkRules } from './fork.ts'
import { gupCatchers, gupRules } from './gup.ts'
import { hmmRules } from './hmm.ts'
import { hugeRules } from './huge.ts'
import { hugetlbRules } from './hugetlb.ts'
import { hugetlbVmaRules } from './hugetlb-vma.ts'
import { lockCatchers, lockRules } from './locks.ts'
import { madviseRules } from './madvise.ts'
import { madviseLruRules } from './madvise-lru.ts'
import { migrateRules } from './migrate.ts'
import { mlockRules } from './mlock.ts'
import { mmapRules } from './mmap.ts'
import { mprotectRules } from './mprotect.ts'
import { mremapRules } from './mremap.ts'
import { munmapRules } from './munmap.ts'
import { notifierRules } from './notifiers.ts'
import type { Profile } from './profiles.ts'
import { reclaimRules } from './reclaim.ts'
import { splitRules } from './split.ts'
import { truncateRules } from './truncate.ts'
import { zapRules } from './zap.ts'

const rules: Rules = {
  ...lockRules,
  ...notifierRules,
  ...mmapRules,
  ...munmapRules,
  ...zapRules,
  ...mprotectRules,
  ...mlockRules,
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
  ...hugetlbRules,
  ...hugetlbVmaRules,
  ...fileRules,
  ...fileIoRules,
  ...filemapRules,
  ...truncateRules,
  ...gupRules,
  ...hmmRules,
}

/** The kernel of a profile. */
export const kernelOf = (profile: Profile): Kernel => ({
  rules,
  catchers: { ...lockCatchers, ...gupCatchers, ...exclusiveCatchers },
  profile,
})
