/** Whoever locks a frame has a reference to it: one that is free is nobody's to lock, and must not be found locked when it is given out. */
import type { Oracle } from './oracle.ts'

export const lockedFramesAreHeld: Oracle = ({ world: { memory } }) => {
  const { locked, refs } = memory.frames
  for (const frame of locked.indices()) if (refs.get(frame) === 0) return `frame ${frame} is locked, and free`
  return undefined
}
