/** The compiled tables against xstate itself, and what they refuse. */
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { and, assign, createMachine, setup, type AnyStateMachine } from 'xstate'
import fault from '../../scenarios/races/fault-against-munmap.ts'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { readRecording } from '../../src/conformance/recording.ts'
import { ProgramRun } from '../../src/conformance/run.ts'
import { worldText } from '../../src/log/records.ts'
import { linuxSystem, standardKinds, profileOf } from '../../src/scenario/standard.ts'
import { reply, type AnyEvent, type Snapshot } from '../../src/system/actor.ts'
import { compiled, tableOf } from '../../src/system/compile.ts'
import { random } from '../../src/system/choosers/random.ts'
import { Live } from '../../src/system/live.ts'
import { initialSnapshot, reference } from '../../src/system/take.ts'

const plain = ({ value, context }: Snapshot): object => ({ value, context })

test('runs of all scenarios go the same way', () => {
  for (const scenario of [stale, fault]) {
    for (const profile of ['v5.2', 'v6.1', 'v6.12', 'v7.1']) {
      for (let seed = 0; seed < 8; seed++) {
        const built = scenario.build(profile)
        const [fast, slow] = [new Live(linuxSystem(built.system, {}, compiled)), new Live(linuxSystem(built.system, {}, reference))]
        const [a, b] = [random(seed), random(seed)]
        for (;;) {
          const [x, y] = [fast.turn(a), slow.turn(b)]
          if ('why' in x || 'why' in y) break
          assert.equal([x.choice, x.do, x.event, x.calls], [y.choice, y.do, y.event, y.calls])
          assert.is(
            worldText(fast.system, x.world),
            worldText(slow.system, { memory: y.world.memory, actors: y.world.actors.map(s => ({ value: s.value, context: s.context })) }),
          )
        }
        assert.is(fast.n, slow.n)
        assert.ok(fast.n > 20)
      }
    }
  }
})

test('recorded programs go the same way', () => {
  const file = join(import.meta.dirname, '../fixtures/recordings/linux-6.12/notifier.jsonl.gz')
  for (const program of readRecording(file).slice(0, 12)) {
    const ops = program.steps.map(s => s.op)
    const [fast, slow] = [new ProgramRun(ops, 'v6.12', compiled), new ProgramRun(ops, 'v6.12', reference)]
    for (const op of ops) assert.equal(slow.op(op), fast.op(op))
  }
})

/** Every event of a machine, in every state that these events lead to, taken both ways. */
function walkBoth(machine: AnyStateMachine, input: object, payload: object): number {
  const seen = new Map<string, Snapshot>()
  const first = plain(initialSnapshot(machine, input)) as Snapshot
  const queue = [first]
  seen.set(JSON.stringify(first), first)
  const types = [
    ...new Set(
      Object.values(machine.root.states)
        .flatMap(s => [...s.transitions.keys()])
        .concat([...machine.root.transitions.keys()]),
    ),
  ]
  let taken = 0
  for (let snapshot = queue.shift(); snapshot !== undefined && seen.size < 400; snapshot = queue.shift()) {
    for (const type of types) {
      const event = { type, ...payload } as AnyEvent
      const [a, b] = [compiled(machine, snapshot, event), reference(machine, snapshot, event)]
      assert.equal(a && [plain(a.next), a.reply], b && [plain(b.next), b.reply], `${machine.id} in ${snapshot.value}, '${type}'`)
      if (a === undefined) continue
      taken++
      const key = JSON.stringify(plain(a.next))
      if (!seen.has(key)) {
        seen.set(key, a.next)
        queue.push(a.next)
      }
    }
  }
  return taken
}

test('every machine takes every event the same way', () => {
  // More statements than the walk can come to the end of: nothing is told to a range that has none left.
  const program = Array.from({ length: 120 }, () => ({ start: 0, end: 2, defaultFlags: 1, pfnFlagsMask: 0, attempts: 2 }))
  const inputs: Readonly<Record<string, object>> = {
    thread: { mm: 'mm0', program: [{ do: 'load', at: 0, end: 1 }] },
    child_thread: { mm: 'mm0', program: [{ do: 'load', at: 0, end: 1 }] },
    range: { name: 'r', mm: 'mm0', device: 'd', program },
    mirror_range: { name: 'r', mm: 'mm0', device: 'd', program },
    vma_range: { name: 'r', mm: 'mm0', device: 'd', program },
    hmm_at_end: { mirrors: ['d'] },
    device: { mm: 'mm0', start: 0, end: 9 },
    hmm: { mirrors: ['d'] },
  }
  for (const [name, { machine }] of Object.entries(standardKinds(profileOf('v6.12'), []))) {
    let taken = 0
    for (const blockable of [true, false]) {
      for (const busy of [true, false]) {
        const event = {
          blockable,
          busy,
          stale: busy,
          valid: !busy,
          cleared: [],
          who: 'd',
          start: 0,
          end: 4,
          seq: busy ? 3 : 5,
          agenda: [],
          array: null,
          fail: busy ? 'EBUSY' : null,
          ret: 0,
          out: {},
          values: [],
          left: null,
          at: 0,
          pfns: { get: () => 0 },
          entries: { get: () => 0 },
          page: 0,
          mm: 'mm0',
          device: 'd',
          event: 'CLEAR',
          owner: null,
        }
        taken += walkBoth(machine, inputs[name] ?? {}, event)
      }
    }
    // A folio's lock takes nothing: whoever calls it waits.
    assert.ok(name === 'folio_lock' ? taken === 0 : taken > 3, `${name}: ${taken} transitions`)
  }
})

test('entry, exit and re-entry are as xstate has them', () => {
  const note = (what: string) => ({ type: 'note', params: { what } }) as const
  const machine = setup({
    types: { context: {} as { readonly log: string } },
    actions: { reply, note: assign(({ context }, { what }: { readonly what: string }) => ({ log: `${context.log} ${what}` })) },
  }).createMachine({
    id: 'm',
    context: { log: '' },
    initial: 'a',
    on: { home: { target: '.a', actions: note('home') } },
    states: {
      a: {
        entry: note('>a'),
        exit: note('a>'),
        on: {
          next: { target: 'b', actions: note('next') },
          self: { target: 'a', actions: note('self') },
          again: { target: 'a', reenter: true, actions: note('again') },
        },
      },
      b: {
        entry: note('>b'),
        exit: note('b>'),
        on: { back: 'a', inner: { actions: [note('inner'), { type: 'reply', params: ({ context }) => ({ value: context.log }) }] } },
      },
    },
  })
  let [fast, slow]: [Snapshot, Snapshot] = [initialSnapshot(machine, {}), initialSnapshot(machine, {})]
  for (const type of ['self', 'again', 'next', 'inner', 'back', 'home', 'next', 'home', 'nothing']) {
    const [a, b] = [compiled(machine, fast, { type }), reference(machine, slow, { type })]
    assert.equal(a && [plain(a.next), a.reply], b && [plain(b.next), b.reply], type)
    ;[fast, slow] = [a?.next ?? fast, b?.next ?? slow]
  }
  assert.is((fast.context as { readonly log: string }).log, ' >a self a> again >a a> next >b inner b> >a a> home >a a> next >b b> home >a')
})

const sub: AnyStateMachine = createMachine({ id: 'sub', initial: 'a', states: { a: {} } })
const refused: readonly (readonly [AnyStateMachine, RegExp])[] = [
  [createMachine({ id: 'm', initial: 'a', states: { a: { invoke: { src: sub } } } }), /cannot compile m\.a: it invokes an actor/],
  [createMachine({ id: 'm', initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } }), /cannot compile m\.a: it has delayed/],
  [createMachine({ id: 'm', initial: 'a', states: { a: { always: 'b' }, b: {} } }), /cannot compile m\.a: it has eventless/],
  [
    createMachine({ id: 'm', initial: 'a', states: { a: { initial: 'x', states: { x: {} } } } }),
    /cannot compile m\.a: it is a compound state/,
  ],
  [createMachine({ id: 'm', type: 'parallel', states: { a: {}, b: {} } }), /cannot compile m: it is a parallel state/],
  [createMachine({ id: 'm', initial: 'a', states: { a: {}, h: { type: 'history' } } }), /cannot compile m\.h: it is a history state/],
  [
    createMachine({ id: 'm', initial: 'a', states: { a: { on: { '*': 'b' } }, b: {} } }),
    /cannot compile m\.a: it takes the wildcard event/,
  ],
  [
    createMachine({ id: 'm', initial: 'a', states: { a: { on: { e: { actions: 'nowhere' } } } } }),
    /cannot compile m\.a: 'nowhere' is defined nowhere/,
  ],
  [
    createMachine({ id: 'm', initial: 'a', states: { a: { on: { e: { actions: () => {} } } } } }),
    /cannot compile m\.a: action '' is neither assign nor reply/,
  ],
  [
    setup({ guards: { g: () => true } }).createMachine({ id: 'm', initial: 'a', states: { a: { on: { e: { guard: and(['g', 'g']) } } } } }),
    /cannot compile m\.a: guard '.*' combines others/,
  ],
  [createMachine({ id: 'm' }), /cannot compile m: it has no states/],
]

for (const [machine, message] of refused) {
  test(`refuses ${message.source}`, () => assert.throws(() => tableOf(machine), message))
}

test.run()
