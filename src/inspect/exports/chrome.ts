/**
 * A run as Chrome trace JSON, which Perfetto opens: a track for each actor, a slice for each step inside those of system
 * calls and faults, calls on the track of who is called, and arrows for causes. A step takes 10 µs, for want of a clock.
 */
import { invalidationsInFlight } from '../../oracles/oracle.ts'
import { WINDOWS } from '../query/terms.ts'
import { rolesOf, type Story } from './story.ts'

export interface TraceEvent {
  readonly ph: 'X' | 'B' | 'E' | 'M' | 's' | 'f' | 'C'
  readonly pid: number
  readonly tid?: number
  readonly ts?: number
  readonly dur?: number
  readonly name?: string
  readonly cat?: string
  readonly id?: number
  readonly bp?: 'e'
  readonly args?: Readonly<Record<string, unknown>>
}

export interface ChromeTrace {
  readonly traceEvents: readonly TraceEvent[]
  readonly displayTimeUnit: 'ns'
  readonly otherData: Readonly<Record<string, string>>
}

const STEP = 10
const PID = 1
const OUTER = ['syscall', 'fault'] as const

export function chromeTrace(story: Story): ChromeTrace {
  const { header, system, steps } = story
  const roles = rolesOf(story)
  const tid = (name: string): number => roles.indexOf(name) + 1
  const names = system.actors.map(a => a.name)
  const mms = Object.keys(story.first.memory.mms)
  const events: TraceEvent[] = [
    { ph: 'M', pid: PID, name: 'process_name', args: { name: header.title } },
    ...roles.flatMap((name, i): readonly TraceEvent[] => [
      { ph: 'M', pid: PID, tid: tid(name), name: 'thread_name', args: { name } },
      { ph: 'M', pid: PID, tid: tid(name), name: 'thread_sort_index', args: { sort_index: i } },
    ]),
  ]
  const open = new Map<string, (typeof OUTER)[number]>()
  const byNumber = new Map(steps.map(step => [step.n, step]))
  let calls = 0
  let inFlight = ''
  for (const step of steps) {
    const { n, by, calls: made, facts, cause, text, event } = step
    const ts = n * STEP
    for (const kind of OUTER) {
      if (open.has(by) || !WINDOWS[kind].opens(step)) continue
      open.set(by, kind)
      events.push({ ph: 'B', pid: PID, tid: tid(by), ts, name: kind === 'syscall' ? step.do : event.type, cat: kind })
    }
    events.push({ ph: 'X', pid: PID, tid: tid(by), ts, dur: STEP, name: step.do, cat: 'step', args: { step: n, cause, text, facts } })
    for (const [i, { to, event: called, reply }] of made.entries()) {
      if (to === by) continue
      const at = ts + 1 + Math.min(i, STEP - 3)
      events.push({
        ph: 'X',
        pid: PID,
        tid: tid(to),
        ts: at,
        dur: 1,
        name: called.type,
        cat: 'call',
        args: { step: n, from: by, reply: reply ?? null },
      })
      events.push({ ph: 's', pid: PID, tid: tid(by), ts, id: ++calls, name: 'call', cat: 'call' })
      events.push({ ph: 'f', bp: 'e', pid: PID, tid: tid(to), ts: at, id: calls, name: 'call', cat: 'call' })
    }
    const from = byNumber.get(cause)
    if (from !== undefined && from.by !== by) {
      events.push({ ph: 's', pid: PID, tid: tid(from.by), ts: from.n * STEP + STEP - 1, id: ++calls, name: 'cause', cat: 'cause' })
      events.push({ ph: 'f', bp: 'e', pid: PID, tid: tid(by), ts, id: calls, name: 'cause', cat: 'cause' })
    }
    const kind = open.get(by)
    if (kind !== undefined && WINDOWS[kind].closes(step)) {
      open.delete(by)
      events.push({ ph: 'E', pid: PID, tid: tid(by), ts: ts + STEP })
    }
    const counters = Object.fromEntries(mms.map(mm => [mm, invalidationsInFlight({ names, world: step.world }, mm)]))
    if (JSON.stringify(counters) !== inFlight) {
      inFlight = JSON.stringify(counters)
      events.push({ ph: 'C', pid: PID, ts, name: 'invalidations in flight', args: counters })
    }
  }
  const after = ((steps.at(-1)?.n ?? 0) + 1) * STEP
  for (const by of open.keys()) events.push({ ph: 'E', pid: PID, tid: tid(by), ts: after })
  return { traceEvents: events, displayTimeUnit: 'ns', otherData: { title: header.title, model: header.model, chooser: header.chooser } }
}
