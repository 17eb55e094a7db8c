/** Bugs of memory management that a device's mirror suffers from: migration, exclusive access, huge pages, page maps, exit. */
import type { Bug } from './bug.ts'

export const MEMORY_BUGS = {} as const satisfies Readonly<Record<string, Bug>>
