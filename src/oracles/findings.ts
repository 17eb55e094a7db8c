/** What oracles find on the way of a run, each where it first does. */
import type { View } from './oracle.ts'
import { AT_ANY_STEP } from './shipped.ts'

export interface Finding {
  readonly oracle: string
  readonly step: number
  readonly why: string
}

export class Findings {
  readonly #names: View['names']
  readonly #found = new Map<string, Finding>()

  constructor(names: View['names']) {
    this.#names = names
  }

  /** The world after a step; who has found something is not asked again. */
  see(step: number, world: View['world']): void {
    for (const [oracle, judge] of Object.entries(AT_ANY_STEP)) {
      const why = this.#found.has(oracle) ? undefined : judge({ names: this.#names, world })
      if (why !== undefined) this.#found.set(oracle, { oracle, step, why })
    }
  }

  /** In the order of the oracles. */
  get list(): readonly Finding[] {
    return Object.keys(AT_ANY_STEP).flatMap(oracle => this.#found.get(oracle) ?? [])
  }
}
