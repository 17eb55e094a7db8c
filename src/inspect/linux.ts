/** What inspection looks at: systems that work on the memory of a Linux machine, and their worlds. */
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { System, World } from '../system/world.ts'

export type LinuxSystem = System<Memory, Fact>
export type LinuxWorld = World<Memory>
