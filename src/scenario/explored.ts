/**
 * A scenario as something to explore: every order of what it races, each stage after the one before it, as `run` has them.
 * What it expects becomes properties, and besides that the kernel must survive and nobody may be blocked for ever.
 */
import { BadTrail, type Alike, type Model, type Property, type Schedule, type Wrong } from '../explore/model.ts'
import { causeOf } from '../kernel/failure.ts'
import type { RangeContext, RangeEvent } from '../kernel/range.ts'
import type { ThreadContext, ThreadEvent } from '../kernel/thread.ts'
import type { Fact } from '../memory/facts.ts'
import type { Memory } from '../memory/memory.ts'
import type { ActorName, Snapshot } from '../system/actor.ts'
import { Live, type Entry } from '../system/live.ts'
import { SEQUENCE } from '../system/recurrence.ts'
import type { Choice } from '../system/step.ts'
import type { World } from '../system/world.ts'
import type { Built, Expectation, StatementRef } from './api.ts'
import { difference } from './brief.ts'
import { actorsOf, type Plan } from './plan.ts'
import { answerOf, toldBy, unlike, type Told } from './answers.ts'
import { errorIn } from './run.ts'
import { gatheringKinds, gatheringSpec } from './gathering.ts'
import { linuxSystem, profileOf, standardKinds, type ActorSpec, type Kinds, type LinuxSystem } from './standard.ts'
import { viewOf, type View } from './view.ts'

export type LinuxModel = Model<Memory, Fact>

/** What `explore` is given for a scenario that was built. */
export function modelOf(built: Built, kinds: Kinds = {}): LinuxModel {
  const told = built.expectations.flatMap(e => ('statement' in e ? [e.statement] : []))
  const all = { ...standardKinds(profileOf(built.system.profile), built.system.actors), ...kinds }
  const system = linuxSystem(gatheringSpec(built.system, told), gatheringKinds(all))
  const names = system.actors.map(a => a.name)
  const seen = (world: World<Memory>): View => viewOf({ names, world })
  return {
    system,
    schedule: scheduleOf(built.plan, names),
    sequences: [...SEQUENCE],
    symmetry: alikeIn(built),
    properties: [
      survival(built.expectations),
      { kind: 'deadlock', name: 'nobody is blocked for ever' },
      noCircles(built.expectations),
      ...faultsAnswered(built, names),
      ...built.expectations.map(expectation => propertyOf(expectation, seen, built.system.actors)),
    ],
  }
}

/**
 * Threads of one process that have the same to do in the same stages, and of which no answer is expected. Devices are not alike:
 * notifiers are called in the order in which they were registered.
 */
function alikeIn({ system, plan, expectations }: Built): readonly Alike[] {
  const groups = new Map<string, ActorName[][]>()
  const told = new Set(expectations.flatMap(e => ('statement' in e ? [e.statement.by] : [])))
  for (const { name, machine, input } of system.actors) {
    if (machine !== 'thread' || told.has(name)) continue
    const stages = plan.map(({ goals }) => goals.find(goal => goal.by === name)?.left ?? null)
    const what = JSON.stringify([input, stages])
    groups.set(what, [...(groups.get(what) ?? []), [name]])
  }
  return [...groups.values()].filter(group => group.length > 1)
}

/** Something that has a program: a thread, or a device's range. */
type Programmed = ThreadContext | RangeContext
const DEAD = 0

/** Stage by stage. Where only one actor may act, nobody could see its steps half done: they go as far as they can. */
const scheduleOf = (plan: Plan, names: readonly string[]): Schedule => {
  const stages = plan.map(({ goals }) => goals.map(goal => ({ actors: actorsOf(goal), at: names.indexOf(goal.by), left: goal.left })))
  return {
    measure: ({ value, context }) => ('program' in context ? (value === 'dead' ? DEAD : (context as Programmed).program.length + 1) : 1),
    turn: measures => {
      // Of a kernel that has died, nobody does anything any more.
      if (measures.includes(DEAD)) return { actors: [], budget: 1, stage: stages.length + 1 }
      for (const [stage, goals] of stages.entries()) {
        const open = goals.filter(({ at, left }) => (measures[at] ?? 0) - 1 > left)
        if (open.length > 0) return { actors: open.flatMap(goal => goal.actors), budget: goals.length === 1 ? Infinity : 1, stage }
      }
      return { actors: names, budget: 1, stage: stages.length }
    },
  }
}

function propertyOf(expectation: Expectation, seen: (world: World<Memory>) => View, actors: readonly ActorSpec[]): Property<Memory> {
  const { name } = expectation
  switch (expectation.kind) {
    case 'always':
      return { kind: 'always', name, wrong: world => expectation.oracle(seen(world)) }
    case 'violated':
      return { kind: 'sometimes', name, holds: world => expectation.oracle(seen(world)) ?? false }
    case 'sometimes':
    case 'eventually':
    case 'finally':
      return { kind: expectation.kind, name, holds: world => expectation.holds(seen(world)) }
    case 'returns':
      return answers(expectation.statement, actors, name, ({ short }) =>
        JSON.stringify(short) === JSON.stringify(expectation.value) ? undefined : `it answers ${difference(expectation.value, short)}`,
      )
    case 'answers':
      return answers(expectation.statement, actors, name, told => unlike(answerOf(told, expectation.statement), expectation.wanted))
  }
}

/** What must be so when a statement answers, whenever it does. */
function answers(statement: StatementRef, actors: readonly ActorSpec[], name: string, wrong: (told: Told) => Wrong): Property<Memory> {
  const { program = [] }: Partial<Pick<Programmed, 'program'>> = actors.find(a => a.name === statement.by)?.input ?? {}
  const left = program.length - statement.index
  return {
    kind: 'step',
    name,
    wrong: ({ by, before, event }) => {
      if (by !== statement.by || (before.context as Programmed).program.length !== left) return undefined
      // A read that goes on has not answered yet.
      if ('left' in event && event.left !== null) return undefined
      const told = toldBy(event as ThreadEvent | RangeEvent)
      return told === undefined ? undefined : wrong(told)
    },
  }
}

/** Of statements that never come back it is expected to go in circles; of nobody else. */
/** Actors that are expected to go in circles. */
const circling = (expectations: readonly Expectation[]): readonly ActorName[] =>
  expectations.flatMap(e => ('statement' in e && errorIn(e) === 'livelock' ? [e.statement.by] : []))

/** A driver's range has all of its answers in the end, unless the kernel dies. */
function faultsAnswered({ system, expectations }: Built, names: readonly ActorName[]): readonly Property<Memory>[] {
  const but = circling(expectations)
  const ranges = system.actors.flatMap(({ name, input }) =>
    'device' in input && 'program' in input && !but.includes(name) ? [names.indexOf(name)] : [],
  )
  const isAnswered = ({ context }: Snapshot): boolean => (context as Programmed).program.length === 0
  const holds = ({ actors }: World<Memory>): boolean =>
    ranges.every(i => isAnswered(actors[i] as Snapshot)) || actors.some(({ value }) => value === 'dead')
  return ranges.length === 0 ? [] : [{ kind: 'eventually', name: 'every device fault is answered', holds, besides: true }]
}

function noCircles(expectations: readonly Expectation[]): Property<Memory> {
  const but = circling(expectations)
  return {
    kind: 'livelock',
    name: but.length === 0 ? 'nobody goes in circles for ever' : `nobody but ${[...new Set(but)].join(' and ')} goes in circles for ever`,
    but,
    besides: true,
  }
}

function survival(expectations: readonly Expectation[]): Property<Memory> {
  const expected = new Set(expectations.map(errorIn))
  return {
    kind: 'step',
    name: 'the kernel survives',
    wrong: ({ event }) => {
      if (event.type !== 'oops') return undefined
      const { where } = event as Extract<ThreadEvent, { readonly type: 'oops' }>
      return expected.has(`oops: ${where}`) ? undefined : `it died in ${where}(): ${causeOf(where)}`
    },
  }
}

/** A trail gone again, step by step, by someone who watches. Throws where a choice is refused: it is of another system. */
export function retrace(
  system: LinuxSystem,
  trail: readonly Choice[],
  watch: (live: Live<Memory, Fact>) => void = () => {},
): readonly Entry<Memory, Fact>[] {
  const live = new Live(system)
  const entries: Entry<Memory, Fact>[] = []
  live.entries$.subscribe(entry => void entries.push(entry))
  watch(live)
  for (const choice of trail) {
    const outcome = live.choose(choice)
    if (outcome.kind !== 'stepped') throw new BadTrail(live.n + 1, choice.by)
  }
  live.end()
  return entries
}
