/** Going on with a search until it is over, is late, or is stopped; how far it is shows on a terminal. */
import type { Cut, Progress } from '../../explore/strategy.ts'
import { progressLine } from './exploration.ts'
import type { Work } from '../output.ts'

export interface Searching {
  readonly work: Work
  readonly title: string
  /** Seconds after which it is stopped. */
  readonly timeout?: number | undefined
  /** Is told of all progress. */
  readonly each?: (progress: Progress) => void
}

/** What the search came to, and the seconds it took. */
export async function searched<T>(
  going: Generator<Progress, T, Cut | undefined>,
  { work, title, timeout, each }: Searching,
): Promise<{ readonly result: T; readonly seconds: number }> {
  const began = performance.now()
  const seconds = (): number => (performance.now() - began) / 1e3
  let next = going.next()
  let before: number | undefined
  while (next.done !== true) {
    const progress = next.value
    await work.breathe(() => {
      const line = progressLine(progress, seconds(), before)
      before = progress.frontier
      return `${line} · ${title}`
    })
    each?.(progress)
    const late = timeout !== undefined && seconds() >= timeout
    next = going.next(work.stopped ? 'interrupted' : late ? 'timeout' : undefined)
  }
  return { result: next.value, seconds: seconds() }
}
