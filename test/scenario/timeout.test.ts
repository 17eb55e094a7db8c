/** The time that a driver gives a fault: once it is over, the fault is given up where the driver would begin again; nothing goes on for ever. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { setup } from 'xstate'
import { timeout } from '../../machines/timeout.ts'
import { actor, compiled, explore, kind, system, type Exploration } from '../../src/explore.ts'
import { modelOf, noStaleDeviceMapping, runScenario, scenario, until, type Built } from '../../src/index.ts'

/** A device faults a page, and a thread drops it, at once. */
const racing = (answers: number | 'EBUSY', device: { readonly timeout?: boolean }, profile = 'v6.12'): Built =>
  scenario('a fault that has its time', ({ linux, expect }) => {
    const m = linux(profile)
    const [cpu, gpu] = [m.thread(), m.device('gpu0', device)]
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 1)
    const fault = gpu.fault(buf)
    const discard = cpu.madvise(buf, 'dontneed')
    m.race(fault, discard).order(until(fault, 'driver_lock'), discard, fault)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.returns(fault, answers)
  }).build()

const verdicts = ({ found }: Exploration): object => Object.fromEntries(found.map(f => [f.property, f.verdict]))
const answered = (exploration: Exploration): Exploration['found'][number] | undefined =>
  exploration.found.find(f => f.property.startsWith('gpu0.range, 1: fault answers'))

test('without a timeout every order ends with the page; with one, some end with EBUSY, and all end', () => {
  const patient = explore(modelOf(racing(0, {})))
  assert.is(patient.verdict, 'holds', JSON.stringify(verdicts(patient)))
  const hasty = explore(modelOf(racing(0, { timeout: true })))
  assert.ok(hasty.complete)
  assert.is(answered(hasty)?.verdict, 'violated')
  assert.match(answered(hasty)?.why ?? '', /EBUSY/)
  assert.equal(
    hasty.found.filter(f => f.verdict !== 'holds').map(f => f.property),
    [answered(hasty)?.property],
  )
})

test('in a run, time passes only where the driver waits; drawn at random, at any moment', () => {
  assert.is(runScenario(racing(0, { timeout: true })).verdict, 'holds')
  const drawn = new Set(Array.from({ length: 60 }, (_, seed) => runScenario(racing('EBUSY', { timeout: true }), { seed }).verdict))
  assert.equal([...drawn].toSorted(), ['holds', 'violated'])
})

test('it is for ranges with a sequence', () => {
  assert.throws(() => racing(0, { timeout: true }, 'v5.2'), /timeout is for ranges with a sequence; on v5\.2 this one has an hmm_mirror/)
})

/** A worker that begins again and again, until its clock says that it is late. */
const worker = setup({
  types: { events: {} as { type: 'started' | 'again' | 'late' }, meta: {} as { does: string } },
}).createMachine({
  initial: 'idle',
  states: {
    idle: { meta: { does: 'start' }, on: { started: 'working' } },
    working: { meta: { does: 'work' }, on: { again: 'working', late: 'gone' } },
    gone: {},
  },
})

test('a loop that looks at the clock ends, whoever is slow: time cannot be put off for ever', () => {
  const looping = (looks: boolean): Exploration => {
    const clocked = (type: 'start' | 'time_after') => [{ to: 'clock', event: { type } }]
    const rules = {
      start: () => [{ do: 'start', calls: clocked('start'), facts: [], event: () => ({ type: 'started' }) }],
      work: () => [
        {
          do: 'work',
          calls: looks ? clocked('time_after') : [],
          facts: [],
          event: ([late]: readonly unknown[]) => ({ type: late === true ? 'late' : 'again' }),
        },
      ],
    }
    const pass = { pass: () => [{ do: 'time_passes', calls: [], facts: [], event: () => ({ type: 'passed' }) }] }
    const model = system({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [actor('clock', kind(timeout, pass), {}), actor('worker', kind(worker, rules), {})],
    })
    return explore({ system: model, properties: [{ kind: 'livelock', name: 'nobody goes in circles' }] })
  }
  assert.is(looping(true).verdict, 'holds')
  assert.is(looping(false).verdict, 'violated')
})

test.run()
