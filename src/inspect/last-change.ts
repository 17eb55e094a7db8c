/** Which step last changed what a path leads to, and which changes it next. */
import type { Key } from '../log/keys.ts'
import { differs, type Path } from './path.ts'
import { cameTo, type Run } from './recording.ts'

/** The last step up to `n` that changed what a path leads to; undefined: it is as it was at the beginning. */
export const lastChange = (run: Run, path: Path, n: number): number | undefined => changeFrom(run, path, n, true)
/** The next step from `n` on that changes it. */
export const nextChange = (run: Run, path: Path, n: number): number | undefined => changeFrom(run, path, n, false)

const changeFrom = (run: Run, path: Path, n: number, back: boolean): number | undefined =>
  found(run, n, back, path.keys, at => differs(path, run.world(at - 1), cameTo(run, at)))

/** The nearest step from `n` on, or back, of which it is so; `keys`: what a block has to touch to have one. */
export function found(run: Run, n: number, back: boolean, keys: readonly Key[], is: (n: number) => boolean): number | undefined {
  if (n > run.last || (back && n <= run.first)) return undefined
  for (const at of run.candidates(Math.max(n, run.first + 1), back, keys)) {
    if (at <= run.first || at > run.last) return undefined
    if (is(at)) return at
  }
  return undefined
}
