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
} from '../system/actor.ts'
export { compiled } from '../system/compile.ts'
export { system, type System, type World } from '../system/world.ts'
export { step, type Choice } from '../system/step.ts'
export { explore, exploring, type Counted, type Exploration, type ExploreOptions, type Found } from './explore.ts'
export { REDUCTIONS, STRATEGIES } from './choice.ts'
export { SCHEDULERS, type Simulation } from './simulate.ts'
export { Unsound, type Cut, type Progress, type Searched } from './strategy.ts'
export { BadTrail, NotDeterministic } from './model.ts'
export { circleIn, type Holder, type Wait } from './waits.ts'
export { lookingAhead, outlook, type Instead, type Label, type Outlook, type Prospect } from './outlook.ts'
export { simplest, simplifying, type Simplest } from './simplest.ts'
export { isNever, isSure, valueOf, type Chance } from './chances.ts'
export type { CoveredMachine, CoveredTransition } from './coverage.ts'
export { threads } from './workers/threads.ts'
export type { Port, Recipe } from './workers/port.ts'
export { BadToken, choicesOf, tokenOf } from './token.ts'
export type { Alike, Deed, Model, Property, Schedule, Turn } from './model.ts'
