/**
 * Workers, as a search sees them: they are given tasks, and answer each with one answer. Threads of this process stand behind it
 * (`threads.ts`); processes or machines could as well, for all that goes through is plain data.
 */

/** Entries one behind the other: the state that a successor was found from, which of its steps leads there, and its row. */
export type Box = Int32Array

/** That there is something to be found about a property: at a state, or by a step from it or in the world behind; -1: no step. */
export interface Sighting {
  readonly property: number
  readonly from: number
  readonly step: number
}

/** States that all workers together go on from at once, at most. */
export const ROUND = 1 << 15

/** States have the numbers that one worker would give them, and rows the numbers of parts that all have agreed on. */
export type Task =
  /** What is explored? Each worker must have made the same. */
  | { readonly do: 'begin' }
  /** These are the numbers of the states that were new last time. All that are before `end` are to be gone on from. */
  | { readonly do: 'expand'; readonly numbers: Int32Array; readonly end: number }
  /** The parts that are met at these states, in this order, get the next numbers. */
  | { readonly do: 'agree'; readonly rows: readonly Int32Array[] }
  /** Successors that are this worker's to keep, in several lists, each in order. */
  | { readonly do: 'take'; readonly boxes: readonly Box[] }
  /** How many steps there are from its states [from, to)? */
  | { readonly do: 'count'; readonly from: number; readonly to: number }
  /** Its states [from, to), each with its number, the state that it was found from, and its row. */
  | { readonly do: 'states'; readonly from: number; readonly to: number }

export interface Answers {
  /** `first`: is the first state its own? */
  readonly begin: { readonly model: string; readonly first: boolean }
  readonly expand: {
    readonly transitions: number
    /** By the worker whose they are. */
    readonly boxes: readonly Box[]
    /** States whose successors have parts without a number: the state, and its row. Their successors come once that is agreed on. */
    readonly strange: readonly Int32Array[]
    readonly sightings: readonly Sighting[]
  }
  readonly agree: { readonly boxes: readonly Box[] }
  /** Of the states that were new, in order: the state that each was found from, and the step. */
  readonly take: { readonly keys: Int32Array; readonly sightings: readonly Sighting[]; readonly bytes: number }
  readonly count: { readonly transitions: number }
  readonly states: { readonly states: Int32Array }
}
export type Verb = Task['do']
export type TaskOf<V extends Verb> = Extract<Task, { readonly do: V }>

/** An answer, or why there is none. */
export type Result = { readonly worker: number } & (
  | { readonly answer: Answers[Verb] }
  | { readonly error: { readonly name: string; readonly message: string } }
)

export interface Port {
  readonly workers: number
  submit(worker: number, task: Task): void
  /** What was answered since; waits for a moment if nothing was. */
  results(): readonly Result[]
  stop(): Promise<void>
}

/** How a worker makes the model that is explored: a function that a module exports, and what it is called with. */
export interface Recipe {
  /** The module's address (`import.meta.url` in it). */
  readonly module: string
  readonly export: string
  readonly args: readonly unknown[]
}
