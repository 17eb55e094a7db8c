/** The strongly connected parts of a graph (Tarjan), each behind all those to which its states lead. */

export interface Part {
  readonly states: readonly number[]
  /** Does any way lead from it back to it? */
  readonly isCircle: boolean
}

/** `successors`: only of states that are meant, and those alone. */
export function* connectedParts(
  size: number,
  isMeant: (state: number) => boolean,
  successors: (state: number) => readonly number[],
): Generator<Part> {
  const order = new Int32Array(size).fill(-1)
  const low = new Int32Array(size)
  const held = new Uint8Array(size)
  const stack: number[] = []
  let count = 0
  for (let root = 0; root < size; root++) {
    if (order[root] !== -1 || !isMeant(root)) continue
    const path: { readonly state: number; readonly next: readonly number[]; at: number }[] = []
    const enter = (state: number): void => {
      order[state] = low[state] = count++
      held[state] = 1
      stack.push(state)
      path.push({ state, next: successors(state), at: 0 })
    }
    enter(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { state, next } = top
      const s = next[top.at++]
      if (s === undefined) {
        path.pop()
        const above = path.at(-1)
        if (above !== undefined) low[above.state] = Math.min(low[above.state] as number, low[state] as number)
        if (low[state] !== order[state]) continue
        const part: number[] = []
        let member: number
        do {
          member = stack.pop() as number
          held[member] = 0
          part.push(member)
        } while (member !== state)
        yield { states: part.toReversed(), isCircle: part.length > 1 || next.includes(state) }
      } else if (order[s] === -1) enter(s)
      else if (held[s] === 1) low[state] = Math.min(low[state] as number, order[s] as number)
    }
  }
}
