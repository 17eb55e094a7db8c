/** `mirrorwalk/explore`: exploring systems of state machines, ours or the user's own. */
export {
  actor,
  kind,
  reply,
  type Actor,
  type ActorName,
  type Call,
  type Does,
  type Kind,
  type Offer,
  type Snapshot,
} from './system/actor.ts'
export { compiled } from './system/compile.ts'
export { system, type System, type World } from './system/world.ts'
export { step, type Choice } from './system/step.ts'
export { explore, exploring, type Counted, type Exploration, type ExploreOptions, type Found } from './explore/explore.ts'
export { REDUCTIONS, STRATEGIES } from './explore/choice.ts'
export { SCHEDULERS, type Simulation } from './explore/strategies/simulate.ts'
export { Unsound, type Cut, type Progress, type Searched } from './explore/strategy.ts'
export { BadTrail, NotDeterministic } from './explore/model.ts'
export { circleIn, type Holder, type Wait } from './explore/properties/waits.ts'
export { lookingAhead, outlook, type Instead, type Label, type Outlook, type Prospect } from './explore/answers/outlook.ts'
export { simplest, simplifying, type Simplest } from './explore/answers/simplest.ts'
export { isNever, isSure, valueOf, type Chance } from './explore/answers/chances.ts'
export type { CoveredMachine, CoveredTransition } from './explore/answers/coverage.ts'
export { threads } from './explore/workers/threads.ts'
export type { Port, Recipe } from './explore/workers/port.ts'
export { BadToken, choicesOf, tokenOf } from './explore/token.ts'
export type { Alike, Deed, Model, Property, Schedule, Turn } from './explore/model.ts'
