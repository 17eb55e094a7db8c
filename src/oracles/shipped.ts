/** The oracles that come with mirrorwalk, by the names that commands and logs have for them. */
import { deviceWritesWhatCpuMay } from './device-writes-what-cpu-may.ts'
import { framesBalance } from './frames-balance.ts'
import { noStaleDeviceAccess } from './no-stale-device-access.ts'
import { noStaleDeviceMapping } from './no-stale-device-mapping.ts'
import type { Oracle } from './oracle.ts'

/** Those that judge a world at any step. */
export const AT_ANY_STEP = { noStaleDeviceMapping, noStaleDeviceAccess, deviceWritesWhatCpuMay } satisfies Readonly<Record<string, Oracle>>

/** All of them; the balance of frames is judged only of a world at rest. */
export const ORACLES: Readonly<Record<string, Oracle>> = { ...AT_ANY_STEP, framesBalance }
