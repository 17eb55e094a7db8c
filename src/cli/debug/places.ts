/** Places where one has been: a step of a run each. */
export interface Place {
  readonly line: string
  readonly n: number
}

/** The way through them: on to new ones, back and forward. */
export class Places {
  readonly #been: Place[]
  #at = 0

  constructor(first: Place) {
    this.#been = [first]
  }

  /** One is here now. */
  visit(place: Place): void {
    const { line, n } = this.#been[this.#at] ?? place
    if (line === place.line && n === place.n) return
    this.#been.splice(++this.#at, Infinity, place)
  }

  /** Where one was before, or went back from; undefined: nowhere. */
  back(): Place | undefined {
    return this.#revisit(this.#at - 1)
  }
  forward(): Place | undefined {
    return this.#revisit(this.#at + 1)
  }

  #revisit(at: number): Place | undefined {
    const place = this.#been[at]
    if (place !== undefined) this.#at = at
    return place
  }
}
