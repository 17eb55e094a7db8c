/** The way through places where one has been: on to new ones, back and forward. */
export class Places<T> {
  readonly #been: T[]
  #at = 0
  readonly #isSame: (a: T, b: T) => boolean

  constructor(first: T, isSame: (a: T, b: T) => boolean = Object.is) {
    this.#been = [first]
    this.#isSame = isSame
  }

  /** One is here now. */
  visit(place: T): void {
    const here = this.#been[this.#at]
    if (here === undefined || !this.#isSame(here, place)) this.#been.splice(++this.#at, Infinity, place)
  }

  /** Where one was before, or went back from; undefined: nowhere. */
  back(): T | undefined {
    return this.#revisit(this.#at - 1)
  }
  forward(): T | undefined {
    return this.#revisit(this.#at + 1)
  }

  #revisit(at: number): T | undefined {
    const place = this.#been[at]
    if (place !== undefined) this.#at = at
    return place
  }
}
