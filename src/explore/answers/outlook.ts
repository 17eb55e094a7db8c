/**
 * The point of no return: for each step of a run that fails, what lies ahead of it. *Doomed*: it fails whatever is chosen
 * from there on. *Avoidable*: there is a choice after which it can no longer fail. *Undecided*: it may still end well, but
 * no single choice sees to that. With each, the chance of failing if each choice is equally likely.
 */
import type { Choice } from '../../system/step.ts'
import { toTheEnd } from '../../system/to-the-end.ts'
import { Ahead } from './ahead.ts'
import { chancesOf, isNever, isSure, type Chance } from './chances.ts'
import { fateOf, type Fate } from '../properties/fate.ts'
import { ONE } from './fraction.ts'
import { BadTrail, type Model, type Property } from '../model.ts'
import type { Row } from '../worlds/rows.ts'
import { Space } from '../worlds/space.ts'

export type Label = 'avoidable' | 'undecided' | 'doomed'

/** What lies ahead of a world. */
export interface Prospect {
  readonly label: Label
  readonly chance: Chance
}

/** Something that could have been chosen instead. */
export interface Instead {
  readonly choice: Choice
  readonly do: string
  readonly chance: Chance
}

export interface Outlook {
  /** Before the first step, and after each; undefined: too much lies ahead of it to say. */
  readonly prospects: readonly (Prospect | undefined)[]
  /** The step, counted from 1, that closed the last way out; 0: there never was one; undefined: none, or not known. */
  readonly closed: number | undefined
  /** The other choices there were in its place. */
  readonly instead: readonly Instead[]
  /** States that were looked at. */
  readonly states: number
}

/** Worlds to look at, at most. */
const MOST_STATES = 500_000

/** Looks ahead from each world of a trail, from the last one back. Yields the states so far, and is told whether to stop. */
export function* lookingAhead<M, F>(
  model: Model<M, F>,
  property: Property<M>,
  trail: readonly Choice[],
  maxStates = MOST_STATES,
): Generator<number, Outlook, boolean> {
  // Whether going on for ever is a failure depends on who goes then, which chances do not tell.
  if (property.kind === 'livelock' && property.but !== undefined && property.but.length > 0)
    return { prospects: [], closed: undefined, instead: [], states: 0 }
  const space = new Space(model)
  const fate = fateOf(space, property)
  const { worlds, failed } = gone(space, fate, trail)
  const ahead = new Ahead(space, fate)
  let known = Math.min(worlds.length, failed)
  while (known > 0 && (yield* ahead.grow(worlds[known - 1] as Row, maxStates))) known--
  const chances = chancesOf(ahead, fate.forever)
  const prospects = worlds.map((row, i): Prospect | undefined => {
    if (i >= failed) return { label: 'doomed', chance: ONE }
    const state = i < known ? -1 : ahead.stateOf(row)
    if (state < 0) return undefined
    const chance = chances[state] as Chance
    const isWayOut = (s: number): boolean => s >= 0 && isNever(chances[s])
    return { label: isSure(chance) ? 'doomed' : ahead.successors(state).some(isWayOut) ? 'avoidable' : 'undecided', chance }
  })
  const first = prospects.findIndex(p => p?.label === 'doomed')
  const closed = first === 0 || prospects[first - 1] !== undefined ? first : undefined
  return {
    prospects,
    closed: closed === -1 ? undefined : closed,
    instead:
      closed === undefined || closed < 1
        ? []
        : others(space, fate, worlds[closed - 1] as Row, trail[closed - 1] as Choice, row => chances[ahead.stateOf(row)] as Chance),
    states: ahead.size,
  }
}

/** The worlds of a trail, and the first of them that has failed. */
function gone<M, F>(
  space: Space<M, F>,
  fate: Fate<F>,
  trail: readonly Choice[],
): { readonly worlds: readonly Row[]; readonly failed: number } {
  const row = space.start.slice()
  const worlds = [row.slice()]
  let failed = fate.world(row) === true ? 0 : Infinity
  for (const [i, { by, offer }] of trail.entries()) {
    const step = space.take(row, 0, space.names.indexOf(by), offer)
    if (step === undefined || !('own' in step)) throw new BadTrail(i + 1, by)
    worlds.push(row.slice())
    if (fate.step(step) || fate.world(row) === true) failed = Math.min(failed, i + 1)
  }
  return { worlds, failed }
}

/** What else could be chosen in a world, and how it stands then. */
function others<M, F>(
  space: Space<M, F>,
  fate: Fate<F>,
  row: Row,
  { by, offer }: Choice,
  chanceOf: (row: Row) => Chance,
): readonly Instead[] {
  const n = space.expand(row)
  return space.steps.slice(0, n).flatMap((step, k): readonly Instead[] => {
    const choice = space.choiceOf(step)
    if (choice.by === by && choice.offer === offer) return []
    const chance = fate.step(step) ? ONE : chanceOf(space.nexts.slice(k * space.width, (k + 1) * space.width))
    return [{ choice, do: step.source.offer.do, chance }]
  })
}

/** The same in one go. */
export function outlook<M, F>(model: Model<M, F>, property: Property<M>, trail: readonly Choice[], maxStates?: number): Outlook {
  return toTheEnd(lookingAhead(model, property, trail, maxStates))
}
