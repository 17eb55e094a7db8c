/** Work that goes on bit by bit, and is told each time whether to stop: all of it at once. */
export function toTheEnd<T>(work: Generator<unknown, T, boolean>): T {
  for (;;) {
    const next = work.next(false)
    if (next.done === true) return next.value
  }
}
