/**
 * Runs that go in circles for ever. A world that was there before is no proof of that alone: somebody who was not let act
 * might have led out of the circle. So it counts only if nobody else could have acted anywhere in it.
 */
import type { ThreadContext } from '../kernel/thread.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { ActorName } from '../system/actor.ts'
import type { Chooser } from '../system/choosers/chooser.ts'
import type { Entry } from '../system/live.ts'
import { isSameWorld, Recurrence } from '../system/recurrence.ts'
import { step } from '../system/step.ts'
import { indexOf, type World } from '../system/world.ts'
import type { LinuxSystem } from './standard.ts'

/** The way in and the circle: the world after step `to` is the one after step `from`, but for how far sequences have counted. */
export interface Livelock {
  readonly why: 'livelock'
  readonly from: number
  readonly to: number
  /** Who goes in the circle, and what it does there, in order. */
  readonly circle: readonly { readonly by: ActorName; readonly do: string }[]
}

const actorsIn = ({ circle }: Livelock): readonly ActorName[] => [...new Set(circle.map(step => step.by))]

/** What was expected instead. */
export const comesToRest = (
  livelock: Livelock,
): { readonly expectation: string; readonly holds: false; readonly step: number; readonly why: string } => ({
  expectation: 'everybody comes to rest',
  holds: false,
  step: livelock.to,
  why: `${actorsIn(livelock).join(' and ')} in circles for ever: the world is the same as after step ${livelock.from}`,
})

/** Is a statement what its actor goes in circles with? `answered`: those that it has behind it. */
export const isUnderWay = (
  { by, index }: { readonly by: ActorName; readonly index: number },
  livelock: Livelock,
  answered: number,
): boolean => actorsIn(livelock).includes(by) && answered === index

/** Steps without a statement done, after which worlds are compared; most statements take fewer. Where they led is kept. */
const PATIENCE = 256
/** Steps of the longest circle that is looked for. */
const LONGEST = 100_000

type Step = Entry<Memory, Fact>

export class Circles {
  readonly #system: LinuxSystem
  readonly #chooser: Chooser
  /** Steps of the statements under way: how they began, and, once a world has come back, the circle from there on. */
  #begun: Step[] = []
  #waited = 0
  #seen: Recurrence<Memory> | undefined
  #circle: Step[] | undefined

  /** `chooser`: is asked who might have acted instead. */
  constructor(system: LinuxSystem, chooser: Chooser) {
    this.#system = system
    this.#chooser = chooser
  }

  /** Does the run go in circles, with this step? */
  see(step: Step): Livelock | undefined {
    if (this.#isProgress(step)) {
      this.#forget()
      return undefined
    }
    if (this.#waited++ < PATIENCE) {
      this.#begun.push(step)
      return undefined
    }
    if (this.#circle !== undefined) return this.#goRound(this.#circle, step)
    this.#seen ??= new Recurrence(step.world, step.do)
    // Only after the same step can the world be the same. What the circle is, its next round shows.
    if (this.#waited > PATIENCE + 1 && this.#seen.next(step.world, step.do)) this.#circle = [step]
    return undefined
  }

  /** A statement was done, and never comes back. */
  #isProgress({ before, world, choice }: Step): boolean {
    const i = indexOf(this.#system, choice.by)
    const programOf = (w: World<Memory>): unknown => {
      const context: Partial<ThreadContext> | undefined = w.actors[i]?.context
      return context?.program
    }
    return programOf(before) !== programOf(world)
  }

  #forget(): void {
    if (this.#begun.length > 0) this.#begun = []
    this.#waited = 0
    this.#seen = undefined
    this.#circle = undefined
  }

  /** Closes the circle where its first world comes back. */
  #goRound(circle: Step[], step: Step): Livelock | undefined {
    const first = circle[0] as Step
    circle.push(step)
    if (step.do !== first.do || !isSameWorld(first.world, step.world)) {
      // The run went another way this time.
      if (circle.length > LONGEST) this.#forget()
      return undefined
    }
    circle.shift()
    if (!this.#hasWayOut(circle, step.world)) return lasso(this.#begun, circle)
    this.#forget()
    return undefined
  }

  /** Could somebody act in it who does not? */
  #hasWayOut(circle: readonly Step[], now: World<Memory>): boolean {
    const going = new Set(circle.map(({ choice }) => choice.by))
    const asked = this.#chooser.order(
      this.#system.actors.map(({ name }) => name),
      now,
    )
    return [...asked].some(
      by => !going.has(by) && circle.some(({ world }) => step(this.#system, world, { by, offer: 0, budget: 1 }).kind === 'stepped'),
    )
  }
}

/** Where the circle was entered: the first world that is one of its own. */
function lasso(begun: readonly Step[], circle: readonly Step[]): Livelock {
  const placeOf = (step: Step): number => circle.findIndex(c => isSameWorld(c.world, step.world))
  const entered = begun.find(step => placeOf(step) >= 0) ?? circle[0]
  if (entered === undefined) throw new Error('a circle without a step')
  const next = placeOf(entered) + 1
  const does = [...circle.slice(next), ...circle.slice(0, next)].map(step => ({ by: step.choice.by, do: step.do }))
  return { why: 'livelock', from: entered.n, to: entered.n + circle.length, circle: does }
}
