/** What `migrate_vma` keeps of each page in its arrays: `src`, where the page is, and `dst`, where it goes (migrate.h). */
import { pfn, PMD_PAGES, type Pfn } from '../../memory/address.ts'

/**
 * A word: the frame (none: a hole), whether it may be written, whether it is still to be migrated, and whether it stands for
 * 2 MiB at once; the other words of these are 0.
 */
export const MIGRATE = 1
export const MIGRATE_WRITE = 2
export const COMPOUND = 4
export const word = (frame: number, flags: number): number => frame * 8 + flags
export const migrateFrame = (w: number): Pfn => pfn(Math.floor(w / 8))
export const isCompound = (w: number): boolean => (w & COMPOUND) !== 0
export const REST: readonly number[] = Array.from({ length: PMD_PAGES - 1 }, () => 0)
export const migrates = (w: number): boolean => (w & MIGRATE) !== 0
export const mayWrite = (w: number): boolean => (w & MIGRATE_WRITE) !== 0
export const migrateWord = (frame: Pfn, write: boolean, compound = false): number =>
  word(frame, MIGRATE | (write ? MIGRATE_WRITE : 0) | (compound ? COMPOUND : 0))
