/** Exports, each held to its consumer's parser where there is one (Mermaid, DOT), and else to the format that it documents. */
import { parse, type ASTNode } from '@ts-graphviz/ast'
import consumer from 'mermaid'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createMachine, type InspectionEvent as Inspected } from 'xstate'
import race from '../../scenarios/races/fault-against-munmap.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import {
  BadItf,
  chromeTrace,
  dotOfMachines,
  dotOfRun,
  itfRun,
  itfTrace,
  mermaid,
  shiviz,
  SHIVIZ_REGEXP,
  statelyEvents,
  type InspectionEvent,
  type TraceEvent,
} from '../../src/inspect.ts'
import { scenario } from '../../src/index.ts'
import { told } from './story.ts'

const [first, second] = [told(stale, 'v5.2').story, told(stale, 'v6.12', 4).story]
const stories = [first, second, told(race, 'v6.12', 7).story]

/** The lines that Mermaid's grammar of sequence diagrams has: participants, messages, notes, comments. */
const MERMAID = /^ {2}(?:%% .*|participant a\d+ as [^#;]*(?:#\d+;[^#;]*)*|a\d+->>a\d+: [^#;]+|Note over a\d+(?:,a\d+)?: (?:[^#;]|#\d+;)+)$/

test('mermaid: a sequence diagram', () => {
  for (const story of stories) {
    const lines = mermaid(story).trimEnd().split('\n')
    assert.is(lines[0], 'sequenceDiagram')
    for (const line of lines.slice(1)) assert.match(line, MERMAID)
    const known = new Set(lines.flatMap(line => /participant (a\d+)/.exec(line)?.[1] ?? []))
    for (const line of lines) for (const [id] of line.replace(/:.*/, '').matchAll(/\ba\d+\b/g)) assert.ok(known.has(id), line)
    // Every step is there, in order, and every call between actors.
    const notes = lines.flatMap(line => /^ {2}Note over a\d+: (\d+) /.exec(line)?.[1] ?? []).map(Number)
    assert.equal(
      notes,
      story.steps.map(s => s.n),
    )
    assert.is(lines.filter(line => line.includes('->>')).length, story.steps.flatMap(s => s.calls).length)
  }
})

test("mermaid's own parser takes them, and refuses what is none", async () => {
  for (const story of stories)
    for (const most of [10, Infinity]) assert.is((await consumer.parse(mermaid(story, { most })))?.diagramType, 'sequence')
  assert.is(await consumer.parse(mermaid(first).replace('->>', '->>:'), { suppressErrors: true }), false)
})

test('mermaid: a long one is folded, and says so', () => {
  for (const most of [40, 20, 10]) {
    const lines = mermaid(second, { most }).trimEnd().split('\n')
    assert.ok(lines.filter(line => /Note|->>/.test(line)).length <= most + 1, `${lines.length}`)
    assert.match(lines.join('\n'), /left out|as one|folded/)
    for (const line of lines.slice(1)) assert.match(line, MERMAID)
    // What is left out beside the middle is not left out unsaid.
    assert.match(lines.join('\n'), /steps that only lock or prepare are left out/)
  }
})

test('a long run, with spaces in the names of its actors', () => {
  const named = scenario('spaces', ({ linux }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread('my cpu'), m.device('sub graph')]
    const pages = cpu.mmap({ pages: 1 })
    for (let i = 0; i < 150; i++) cpu.write(pages, i)
    m.race(gpu.fault(pages), cpu.madvise(pages, 'dontneed'))
    for (let i = 0; i < 1100; i++) cpu.write(pages, i)
  })
  const { story } = told(named, 'v6.12')
  assert.ok(story.steps.filter(step => step.by === 'my cpu').length > 1100)
  assert.is(readDot(dotOfRun(story)).nodes.size, story.steps.length)
  for (const [, host = '', clock = ''] of shiviz(story).matchAll(new RegExp(SHIVIZ_REGEXP, 'g')))
    assert.ok(Number((JSON.parse(clock) as Readonly<Record<string, number>>)[host]) > 0, host)
})

test('chrome: slices nest, flows begin and end in slices, and it is JSON', () => {
  for (const story of stories) {
    const trace = JSON.parse(JSON.stringify(chromeTrace(story))) as { readonly traceEvents: readonly TraceEvent[] }
    const events = trace.traceEvents
    const slices = events.filter(e => e.ph === 'X')
    assert.is(slices.filter(e => e.cat === 'step').length, story.steps.length)
    for (const e of slices) assert.ok(Number.isInteger(e.ts) && (e.dur ?? 0) > 0 && typeof e.name === 'string')
    const threads = new Set(events.filter(e => e.name === 'thread_name').map(e => e.tid))
    for (const e of events) if (e.tid !== undefined) assert.ok(threads.has(e.tid))
    for (const tid of threads) {
      const own = slices.filter(e => e.tid === tid).toSorted((a, b) => (a.ts ?? 0) - (b.ts ?? 0))
      for (const [i, e] of own.entries()) {
        const next = own[i + 1]
        const end = (e.ts ?? 0) + (e.dur ?? 0)
        assert.ok(next === undefined || (next.ts ?? 0) >= end || (next.ts ?? 0) + (next.dur ?? 0) <= end, 'slices overlap')
      }
      let depth = 0
      for (const e of events.filter(x => x.tid === tid && (x.ph === 'B' || x.ph === 'E'))) assert.ok((depth += e.ph === 'B' ? 1 : -1) >= 0)
      assert.is(depth, 0)
    }
    const inSlice = (e: TraceEvent): boolean =>
      slices.some(s => s.tid === e.tid && (s.ts ?? 0) <= (e.ts ?? 0) && (e.ts ?? 0) <= (s.ts ?? 0) + (s.dur ?? 0))
    const flows = events.filter(e => e.ph === 's' || e.ph === 'f')
    assert.ok(flows.length > 0 && flows.every(inSlice))
    for (const s of flows.filter(e => e.ph === 's')) {
      const ends = flows.filter(e => e.ph === 'f' && e.id === s.id)
      assert.ok(ends.length === 1 && (ends[0]?.ts ?? 0) >= (s.ts ?? 0) && ends[0]?.bp === 'e')
    }
    assert.ok(events.some(e => e.ph === 'C'))
  }
})

/** An expression of ITF, as ADR-015 has them: no null, no plain number. */
function isItf(value: unknown): boolean {
  if (typeof value === 'boolean' || typeof value === 'string') return true
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.every(isItf)
  const fields = value as Readonly<Record<string, unknown>>
  if ('#bigint' in fields) return /^-?\d+$/.test(String(fields['#bigint'])) && Object.keys(fields).length === 1
  if ('#tup' in fields) return Array.isArray(fields['#tup']) && fields['#tup'].every(isItf)
  if ('#map' in fields)
    return Array.isArray(fields['#map']) && fields['#map'].every(pair => Array.isArray(pair) && pair.length === 2 && pair.every(isItf))
  return Object.entries(fields).every(([key, v]) => !key.startsWith('#') && isItf(v))
}

test('itf: every state has every variable, of values that ITF has; and back', () => {
  for (const story of stories) {
    const text = JSON.stringify(itfTrace(story))
    const trace = JSON.parse(text) as {
      readonly '#meta': object
      readonly vars: readonly string[]
      readonly states: readonly Readonly<Record<string, unknown>>[]
    }
    assert.equal([trace.states.length, trace['#meta' as const] !== undefined], [story.steps.length + 1, true])
    for (const [index, { '#meta': meta, ...state }] of trace.states.entries()) {
      assert.equal(meta, { index })
      assert.equal(Object.keys(state).toSorted(), trace.vars.toSorted())
      assert.ok(isItf(state))
    }
    const back = itfRun(text)
    assert.equal(JSON.stringify(back.header), JSON.stringify(story.header))
    assert.equal(
      back.steps.map(s => [s.choice[0], s.action]),
      story.steps.map(s => [s.by, s.do]),
    )
  }
})

test('itf: what is no trace of ours is refused with a message', () => {
  for (const [text, message] of [
    ['{', /not JSON/],
    ['{}', /no ITF trace: expected/],
    ['{"states":[{}]}', /has no "mirrorwalk"/],
    ['{"#meta":{"mirrorwalk":{"title":"x"}},"states":[{},{}]}', /state 1: mbt::nondetPicks/],
  ] as const)
    assert.throws(
      () => itfRun(text),
      (error: unknown) => error instanceof BadItf && message.test(error.message),
    )
})

/** The nodes and edges of a graph in DOT, those of its subgraphs among them. */
function readDot(text: string): { readonly nodes: ReadonlySet<string>; readonly edges: readonly (readonly [string, string])[] } {
  const nodes = new Set<string>()
  const edges: (readonly [string, string])[] = []
  const read = (node: ASTNode): void => {
    if (node.type === 'Node') nodes.add(node.id.value)
    if (node.type === 'Edge') {
      const ends = node.targets.map(target => (target.type === 'NodeRef' ? target.id.value : ''))
      for (let i = 1; i < ends.length; i++) edges.push([ends[i - 1] ?? '', ends[i] ?? ''])
    }
    if (node.type === 'Dot' || node.type === 'Graph' || node.type === 'Subgraph') for (const child of node.children) read(child)
  }
  read(parse(text))
  return { nodes, edges }
}

test('dot: of a run, and of machines', () => {
  for (const story of stories) {
    const run = readDot(dotOfRun(story))
    assert.is(run.nodes.size, story.steps.length)
    for (const edge of run.edges) for (const end of edge) assert.ok(run.nodes.has(end))
    const machines = readDot(dotOfMachines(story.system))
    const all = new Set(story.system.actors.map(a => a.kind.machine))
    assert.is(
      machines.nodes.size,
      [...all].reduce((sum, m) => sum + Object.keys(m.root.states).length, 0),
    )
    for (const edge of machines.edges) for (const end of edge) assert.ok(machines.nodes.has(end))
  }
})

test('shiviz: its parser reads it, and clocks say what came before', () => {
  for (const story of stories) {
    const text = shiviz(story)
    const [expression = '', , ...rest] = text.split('\n')
    assert.is(expression, SHIVIZ_REGEXP)
    const events = [...rest.join('\n').matchAll(new RegExp(expression, 'g'))].map(m => ({
      host: m.groups?.['host'] ?? '',
      clock: JSON.parse(m.groups?.['clock'] ?? '') as Readonly<Record<string, number>>,
      event: m.groups?.['event'] ?? '',
    }))
    assert.is(rest.join('\n').trimEnd().split('\n').length, 2 * events.length)
    const seen = new Map<string, number>()
    for (const { host, clock } of events) {
      // A host's own time goes up by one; of others it knows what has been.
      assert.is(clock[host], (seen.get(host) ?? 0) + 1)
      seen.set(host, clock[host] ?? 0)
      for (const [other, n] of Object.entries(clock)) assert.ok(n <= (seen.get(other) ?? 0))
    }
    assert.is(new Set(events.map(e => e.event.split(' ')[0])).size, story.steps.length)
  }
})

/** An event as `@statelyai/inspect` 0.7 declares it, of what xstate declares: the compiler holds ours to it. */
type Of<T extends Inspected['type'], K extends string> = Pick<Inspected & { type: T }, K & keyof (Inspected & { type: T })>
type Inspector =
  | (Of<'@xstate.snapshot', 'event' | 'snapshot' | 'type'> & InspectorCommon)
  | (Of<'@xstate.event', 'event' | 'type'> & InspectorCommon & { sourceId: string | undefined })
  | (Of<'@xstate.actor', 'type'> & InspectorCommon & { name: string; definition: string | undefined; parentId: string | undefined })
interface InspectorCommon {
  rootId: string | undefined
  sessionId: string
  createdAt: string
  id: string
  _version: string
}
const asInspector = (event: InspectionEvent): Inspector => event

test('stately: actors with definitions that xstate reads, then events and snapshots', () => {
  for (const story of stories) {
    const events = [...statelyEvents(story)].map(asInspector).map(e => JSON.parse(JSON.stringify(e)) as Readonly<Record<string, unknown>>)
    const ids = new Set<unknown>()
    const actors = new Set<unknown>()
    for (const e of events) {
      for (const key of ['sessionId', 'rootId', 'createdAt', 'id', '_version']) assert.type(e[key], 'string')
      assert.not(ids.has(e['id']))
      ids.add(e['id'])
      if (e['type'] === '@xstate.actor') {
        actors.add(e['sessionId'])
        assert.is((e['snapshot'] as { readonly status: string }).status, 'active')
        const machine = createMachine(JSON.parse(String(e['definition'])) as object)
        assert.ok(Object.keys(machine.states).includes((e['snapshot'] as { readonly value: string }).value))
      } else {
        assert.ok(actors.has(e['sessionId']))
        assert.type((e['event'] as { readonly type: string }).type, 'string')
        if (e['type'] === '@xstate.snapshot') assert.is((e['snapshot'] as { readonly status: string }).status, 'active')
        else assert.is(e['type'], '@xstate.event')
      }
    }
    assert.is(actors.size, story.system.actors.length)
  }
})

test.run()
