/** The oracles that come with mirrorwalk, by the names that commands and logs have for them. */
import { deviceAccessesAreCurrent } from './device-accesses-are-current.ts'
import { deviceWritesWhatCpuMay } from './device-writes-what-cpu-may.ts'
import { framesBalance } from './frames-balance.ts'
import { noStaleDeviceAccess } from './no-stale-device-access.ts'
import { noStaleDeviceMapping } from './no-stale-device-mapping.ts'
import { lockedFramesAreHeld } from './locked-frames-are-held.ts'
import { noDaxBlockFreedWhileHeld } from './no-dax-block-freed-while-held.ts'
import { noFreedFrameMapped } from './no-freed-frame-mapped.ts'
import { noPageWithoutPagemap } from './no-page-without-pagemap.ts'
import { noWriteCrossesFork } from './no-write-crosses-fork.ts'
import type { Oracle } from './oracle.ts'
import { pinnedPagesStay } from './pinned-pages-stay.ts'

/** Those that judge a world at any step. */
export const AT_ANY_STEP = {
  noStaleDeviceMapping,
  noStaleDeviceAccess,
  deviceAccessesAreCurrent,
  deviceWritesWhatCpuMay,
  noFreedFrameMapped,
  lockedFramesAreHeld,
  noWriteCrossesFork,
  noDaxBlockFreedWhileHeld,
  noPageWithoutPagemap,
} satisfies Readonly<Record<string, Oracle>>

/** All of them; the balance of frames is judged only of a world at rest, and pins of programs that keep what they have pinned. */
export const ORACLES: Readonly<Record<string, Oracle>> = { ...AT_ANY_STEP, pinnedPagesStay, framesBalance }
