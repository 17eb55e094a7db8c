/** A running system as streams: order, causes, re-entrance, choosers and how runs end. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import fault from '../../scenarios/races/fault-against-munmap.ts'
import { page } from '../../src/memory/address.ts'
import { worldText } from '../../src/log/records.ts'
import { linuxSystem, mmActors, type LinuxSystem } from '../../src/scenario/standard.ts'
import { random } from '../../src/system/choosers/random.ts'
import { recorded } from '../../src/system/choosers/recorded.ts'
import { roundRobin } from '../../src/system/choosers/round-robin.ts'
import { Live } from '../../src/system/live.ts'
import type { Choice } from '../../src/system/step.ts'
import type { Statement } from '../../src/kernel/thread.ts'

const mm = 'mm0'
const program = (start: number): readonly Statement[] => [
  { do: 'mmap', mm, start: page(start), end: page(start + 2), prot: 'rw', shared: false, of: 'anon' },
  { do: 'store', at: page(start), end: page(start + 2), value: 7 },
  { do: 'munmap', mm, start: page(start), end: page(start + 2) },
]
const two = (): LinuxSystem =>
  linuxSystem({
    profile: 'v6.12',
    mms: [mm],
    actors: [
      ...mmActors(mm, {}),
      { name: 'cpu0', machine: 'thread', input: { mm, program: program(0) } },
      { name: 'cpu1', machine: 'thread', input: { mm, program: program(16) } },
    ],
  })

test('every subscriber sees every entry in order, though one of them runs the next step', () => {
  const live = new Live(two())
  const chooser = roundRobin()
  const [before, after, told]: [number[], number[], string[]] = [[], [], []]
  live.entries$.subscribe(({ n }) => void before.push(n))
  live.entries$.subscribe(({ n }) => {
    if (n < 40) live.turn(chooser)
  })
  live.entries$.subscribe(({ n }) => void after.push(n))
  live.exchange$.subscribe(({ n, from, to, event }) => void told.push(`${n} ${from} → ${to} ${event.type}`))
  live.turn(chooser)
  assert.is(live.n, 40)
  assert.equal(
    before,
    Array.from({ length: 40 }, (_, i) => i + 1),
  )
  assert.equal(after, before)
  assert.equal(
    told.map(t => Number(t.split(' ')[0])),
    told.map(t => Number(t.split(' ')[0])).toSorted((a, b) => a - b),
  )
  assert.ok(told.includes('3 cpu0 → mm0.mmap_lock mmap_write_lock'), told.slice(0, 4).join('; '))
})

test('exchange$ has each call and its reply', () => {
  const live = new Live(two())
  const replies: unknown[] = []
  live.exchange$.subscribe(({ event, reply }) => {
    if (event.type === 'invalidate_range_start') replies.push(reply)
  })
  live.run(roundRobin())
  assert.equal(replies, [
    { seq: 2, interval: [], plain: [] },
    { seq: 2, interval: [], plain: [] },
  ])
})

test('world$, memory$ and actor$ begin with what is, and tell what becomes', () => {
  const live = new Live(two())
  live.choose({ by: 'cpu0', offer: 0, budget: 1 })
  const [worlds, memories, states]: [unknown[], unknown[], string[]] = [[], [], []]
  live.world$.subscribe(w => void worlds.push(w))
  live.memory$.subscribe(m => void memories.push(m))
  live.actor$('cpu0').subscribe(({ value }) => void states.push(value))
  live.run(roundRobin())
  assert.is(worlds.length, live.n)
  assert.is(worlds.at(-1), live.world)
  assert.is(new Set(memories).size, memories.length)
  assert.ok(memories.length < worlds.length)
  assert.equal([states[0], states.at(-1)], ['syscall', 'user'])
  assert.throws(() => live.actor$('cpu9'), /no actor 'cpu9' in this system; there are folio_lock, mm0\.mmap_lock/)
})

test('a refused choice says who refused it, and changes nothing', () => {
  const live = new Live(two())
  for (const by of ['cpu0', 'cpu0', 'cpu1']) assert.is(live.choose({ by, offer: 0, budget: 1 }).kind, 'stepped')
  const before = live.world
  const outcome = live.choose({ by: 'cpu1', offer: 0, budget: 1 })
  assert.ok(outcome.kind === 'blocked')
  assert.equal(
    [outcome.by, outcome.do, outcome.on.to, outcome.on.event.type],
    ['cpu1', 'mmap_write_lock', 'mm0.mmap_lock', 'mmap_write_lock'],
  )
  assert.ok(live.world === before)
  assert.is(live.choose({ by: 'cpu0', offer: 5, budget: 1 }).kind, 'at rest')
  assert.is(live.n, 3)
})

test('a step follows from the last one that changed its actor, or one that it calls', () => {
  const live = new Live(two())
  const causes: number[] = []
  live.entries$.subscribe(({ cause }) => void causes.push(cause))
  for (const by of ['cpu0', 'cpu1', 'cpu0', 'cpu0', 'cpu0', 'cpu1']) live.choose({ by, offer: 0, budget: 1 })
  assert.equal(causes, [0, 0, 1, 3, 4, 5])
})

test('a run ends at rest, at its limit, or where everybody waits', () => {
  assert.equal(new Live(two()).run(roundRobin()), { why: 'at rest' })
  const limited = new Live(two())
  assert.equal([limited.run(roundRobin(), 5), limited.n], [{ why: 'limit' }, 5])
  const held = linuxSystem({
    profile: 'v6.12',
    mms: [mm],
    actors: [
      ...mmActors(mm, {}),
      {
        name: 'cpu0',
        machine: 'thread',
        input: { mm, program: [{ do: 'driver_call', to: 'mm0.mmap_lock', event: { type: 'mmap_write_lock' } }, ...program(0)] },
      },
    ],
  })
  const ended = new Live(held).run(roundRobin())
  assert.ok(ended.why === 'blocked')
  assert.equal(
    ended.waiting.map(w => (w.kind === 'blocked' ? `${w.by} ${w.on.to}` : w.by)),
    ['cpu0 mm0.mmap_lock'],
  )
})

test('one seed gives one run, others give others', () => {
  const built = fault.build('v6.12')
  const texts = [1, 1, 2, 3].map(seed => {
    const live = new Live(linuxSystem(built.system))
    const steps: string[] = []
    live.entries$.subscribe(e => void steps.push(`${e.choice.by} ${e.do}`))
    live.run(random(seed))
    return steps.join('\n')
  })
  assert.is(texts[0], texts[1])
  assert.is(new Set(texts).size, 3)
})

test('the recorded chooser takes a run again, and stops where it ended', () => {
  const first = new Live(two())
  const choices: Choice[] = []
  first.entries$.subscribe(e => void choices.push(e.choice))
  first.run(random(9), 30)
  const again = new Live(two())
  assert.equal(again.run(recorded(choices)).why, 'blocked')
  assert.is(again.n, 30)
  assert.is(worldText(again.system, again.world), worldText(first.system, first.world))
})

test('a replay may be driven from inside a subscriber', () => {
  const first = new Live(two())
  const choices: Choice[] = []
  first.entries$.subscribe(e => void choices.push(e.choice))
  first.run(random(4))
  const again = new Live(two())
  const chooser = recorded(choices)
  again.entries$.subscribe(() => void again.turn(chooser))
  const outcome = again.turn(chooser)
  assert.ok(!('why' in outcome) && outcome.n === 1, 'who asked for a step is told of that step')
  assert.is(again.n, first.n)
  assert.is(worldText(again.system, again.world), worldText(first.system, first.world))
})

test('a defect of a machine or a rule reaches the caller', () => {
  const live = new Live(two())
  for (let i = 0; i < 2; i++) assert.throws(() => live.choose({ by: 'cpu9', offer: 0, budget: 1 }), /no actor 'cpu9'/)
})

test.run()
