/** Bugs of what a driver does with its device when pages are taken from it. */
import type { Profile } from '../profiles/profile.ts'
import type { Bug } from './bug.ts'

const needsDevices = ({ hasHmm }: Profile): string | undefined => (hasHmm ? undefined : 'it has no HMM, and so no device that mirrors')

export const DEVICE_BUGS = {
  noDeviceTlbFlush: {
    source: 'what an invalidate callback has to have done when it returns (Documentation/mm/mmu_notifier.rst)',
    says: 'A driver drops pages from its device table, and leaves them in the TLB of the device.',
    lacks: needsDevices,
  },
  doesNotWaitForDma: {
    source: 'what an invalidate callback waits for; drivers of user pointers wait for fences there (amdgpu, i915)',
    says: 'A driver drops pages from its device table while accesses to them are in flight, and does not wait for those.',
    lacks: needsDevices,
  },
} as const satisfies Readonly<Record<string, Bug>>
