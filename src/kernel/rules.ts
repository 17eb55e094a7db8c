/** The rules of all items, put together. */
import type { Kernel } from './advance.ts'
import type { Rules } from './agenda.ts'
import { faultRules } from './fault.ts'
import { gupCatchers, gupRules } from './gup.ts'
import { hmmRules } from './hmm.ts'
import { lockCatchers, lockRules } from './locks.ts'
import { madviseRules } from './madvise.ts'
import { mlockRules } from './mlock.ts'
import { mmapRules } from './mmap.ts'
import { mprotectRules } from './mprotect.ts'
import { mremapRules } from './mremap.ts'
import { notifierRules } from './notifiers.ts'
import type { Profile } from './profiles.ts'
import { reclaimRules } from './reclaim.ts'
import { shmemRules } from './shmem.ts'
import { zapRules } from './zap.ts'

const rules: Rules = {
  ...lockRules,
  ...notifierRules,
  ...mmapRules,
  ...zapRules,
  ...mprotectRules,
  ...mlockRules,
  ...madviseRules,
  ...reclaimRules,
  ...mremapRules,
  ...faultRules,
  ...shmemRules,
  ...gupRules,
  ...hmmRules,
}

/** The kernel of a profile. */
export const kernelOf = (profile: Profile): Kernel => ({ rules, catchers: { ...lockCatchers, ...gupCatchers }, profile })
