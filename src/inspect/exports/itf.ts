/**
 * A run as an ITF trace (Apalache's ADR-015), and back. Every state has the actors and memory; what was taken, and what was
 * chosen for it, stand where model checkers keep them, so that the trace says how to run it again.
 */
import { Table } from '../../memory/table.ts'
import type { EndRecord, Header } from '../../log/records.ts'
import { revived } from '../../log/values.ts'
import type { LinuxSystem, LinuxWorld } from '../linux.ts'
import { choiceRow, type ChoiceRow, type Story } from './story.ts'

const ACTION = 'mbt::actionTaken'
const PICKS = 'mbt::nondetPicks'
const VARS = ['actors', 'memory', ACTION, PICKS] as const
const FORMAT_URL = 'https://apalache-mc.org/docs/adr/015adr-trace.html'

export interface ItfTrace {
  readonly '#meta': Readonly<Record<string, unknown>>
  readonly vars: readonly string[]
  readonly states: readonly Readonly<Record<string, unknown>>[]
}

const NOTHING = { tag: 'None', value: { '#tup': [] } }
const some = (value: unknown): unknown => ({ tag: 'Some', value })
const bigint = (n: number): unknown => ({ '#bigint': String(n) })
const IDENTIFIER = /^[A-Za-z_]\w*$/

/** Plain data as ITF has it: integers as big ones, tables as their runs, objects with other keys than names as maps. */
function toItf(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? bigint(value) : String(value)
  if (value === null || value === undefined) return NOTHING
  if (value instanceof Table) return [...value.runs()].map(run => ({ '#tup': run.map(bigint) }))
  if (Array.isArray(value)) return value.map(toItf)
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).filter(([, v]) => v !== undefined)
  if (entries.length === 0 || !entries.every(([key]) => IDENTIFIER.test(key))) return { '#map': entries.map(([key, v]) => [key, toItf(v)]) }
  return Object.fromEntries(entries.map(([key, v]) => [key, toItf(v)]))
}

/** A world, as a state of a trace has it. */
export interface ItfState {
  readonly actors: unknown
  readonly memory: unknown
}
export const itfState = (system: LinuxSystem, world: LinuxWorld): ItfState => ({
  actors: {
    '#map': system.actors.map(({ name }, i) => {
      const snapshot = world.actors[i]
      return [name, { state: snapshot?.value ?? '', context: toItf(snapshot?.context ?? {}) }]
    }),
  },
  memory: toItf(world.memory),
})

export function itfTrace({ header, system, first, steps, end }: Story): ItfTrace {
  const state = (
    index: number,
    world: LinuxWorld,
    action: string,
    [by, offer, budget]: ChoiceRow | readonly [null, null, null],
  ): ItfTrace['states'][number] => ({
    '#meta': { index },
    ...itfState(system, world),
    [ACTION]: action,
    [PICKS]: {
      by: by === null ? NOTHING : some(by),
      offer: offer === null ? NOTHING : some(bigint(offer)),
      budget: budget === null ? NOTHING : some(bigint(budget)),
    },
  })
  return {
    '#meta': { format: 'ITF', 'format-description': FORMAT_URL, source: header.title, status: end ?? 'cut off', mirrorwalk: header },
    vars: VARS,
    states: [
      state(0, first, 'init', [null, null, null]),
      ...steps.map(({ world, record }, i) => state(i + 1, world, record.do, choiceRow(record))),
    ],
  }
}

/** A trace that is not ITF, or not of a run of ours. */
export class BadItf extends Error {
  override readonly name = 'BadItf'
}

/** What a trace says of a run: where it begins, what was chosen, and what came of it. */
export interface ItfRun {
  readonly header: Header
  /** `cut off`: the log that it was exported from had no end. */
  readonly end: EndRecord['why'] | 'cut off'
  readonly first: ItfState
  readonly steps: readonly { readonly choice: ChoiceRow; readonly action: string; readonly state: ItfState }[]
}

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (x: unknown): Fields => (typeof x === 'object' && x !== null ? (x as Fields) : {})

/** Reads a trace; throws `BadItf`. */
export function itfRun(text: string): ItfRun {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new BadItf(`not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  const { '#meta': meta, states } = fieldsOf(json)
  if (!Array.isArray(states) || states.length === 0) throw new BadItf('no ITF trace: expected { "#meta", "vars", "states": [ … ] }')
  const { mirrorwalk: header, status } = fieldsOf(meta)
  if (typeof fieldsOf(header)['title'] !== 'string')
    throw new BadItf(
      'its #meta has no "mirrorwalk", the header of the log that it was exported from: only traces of runs of ours can be run again',
    )
  return {
    header: { ...(header as Header), system: revived((header as Header).system) },
    end: ENDS.find(end => end === status) ?? 'cut off',
    first: stateOf(fieldsOf(states[0])),
    steps: states.slice(1).map((state, i) => stepOf(fieldsOf(state), i + 1)),
  }
}

const ENDS: readonly EndRecord['why'][] = ['at rest', 'blocked', 'limit', 'livelock', 'interrupted']
const stateOf = ({ actors, memory }: Fields): ItfState => ({ actors, memory })

function stepOf(state: Fields, index: number): ItfRun['steps'][number] {
  const { by, offer, budget } = fieldsOf(state[PICKS])
  const name = picked(by)
  const [which, bound] = [numberOf(picked(offer)), numberOf(picked(budget))]
  if (typeof name !== 'string' || which === null)
    throw new BadItf(`state ${index}: ${PICKS} does not say who acts: expected by, offer and budget`)
  return { choice: [name, which, bound], action: String(state[ACTION]), state: stateOf(state) }
}

const picked = (x: unknown): unknown => (fieldsOf(x)['tag'] === 'Some' ? fieldsOf(x)['value'] : null)
const numberOf = (x: unknown): number | null => {
  const text = fieldsOf(x)['#bigint'] ?? x
  const n = text === null || text === '' ? Number.NaN : Number(text)
  return Number.isSafeInteger(n) && n >= 0 ? n : null
}
