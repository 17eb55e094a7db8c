/** Defining a driver: what it lacks is told at once and in one sentence, and a log of it is read with the file that defines it. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore } from 'mirrorwalk/explore'
import {
  BadDriver,
  defineDevice,
  deviceContext,
  deviceSetup,
  DRIVER_WORDS,
  handlerContext,
  handlerSetup,
  hardware,
} from 'mirrorwalk/driver'
import { device } from '../../machines/device.ts'
import { range } from '../../machines/range.ts'
import { thread } from '../../machines/thread.ts'
import { modelOf, noStaleDeviceMapping, prepare, runScenario, scenario, type Built } from '../../src/index.ts'
import { linuxSystem } from '../../src/scenario/standard.ts'

/** What a driver is refused with. */
function refused(define: () => unknown): string {
  try {
    define()
  } catch (error) {
    assert.instance(error, BadDriver)
    return error instanceof Error ? error.message : ''
  }
  return 'not at all'
}

test('a device that the kernel cannot call is refused', () => {
  const deaf = deviceSetup.createMachine({
    context: ({ input }) => deviceContext(input),
    initial: 'there',
    on: hardware,
    states: { there: { on: { lock: {}, unlock: {} } } },
  })
  assert.match(
    refused(() => defineDevice('deaf', { device: deaf })),
    /^driver 'deaf': no state of its device takes 'invalidate', with which the kernel calls it: \{ start, end, .* It hears by mmu_interval_notifier$/,
  )
  assert.match(
    refused(() => defineDevice('deaf', { device, hears: 'mmu_notifier' })),
    /takes 'invalidate_range_start', .* It hears by mmu_notifier$/,
  )
})

test('a handler that calls what its device does not take, or is told what it does not expect, is refused', () => {
  const mute = deviceSetup.createMachine({
    context: ({ input }) => deviceContext(input),
    initial: 'there',
    on: hardware,
    states: { there: { on: { invalidate: { actions: { type: 'reply', params: { value: true } } } } } },
  })
  assert.match(
    refused(() => defineDevice('mute', { device: mute })),
    /^driver 'mute': its state 'read_begin' does 'read_begin', which calls its device with 'read_begin': no state of that takes it$/,
  )
  const handler = (does: string, told: 'done' | 'fault') =>
    handlerSetup.createMachine({
      context: ({ input }) => handlerContext(input),
      initial: 'idle',
      states: { idle: { meta: { does }, on: { [told]: {} } } },
    })
  assert.match(
    refused(() => defineDevice('odd', { handler: handler('hmm_range_fualt', 'done') })),
    /^driver 'odd': its state 'idle' does 'hmm_range_fualt', which is no word for what a driver does; there are idle, /,
  )
  assert.match(
    refused(() => defineDevice('odd', { handler: handler('idle', 'done') })),
    /^driver 'odd': its state 'idle' does 'idle' and is told 'fault' then, for which it has no transition$/,
  )
  assert.match(
    refused(() => defineDevice('odd', { handler: handler('call ring_doorbell', 'done') })),
    /calls its device with 'ring_doorbell': no state of that takes it$/,
  )
  assert.match(
    refused(() => defineDevice('odd', { handler: handler('call worker.wake', 'done') })),
    /does 'call worker\.wake', and it has no worker$/,
  )
})

test('machines that are not plain, and names that are none or taken, are refused', () => {
  const nested = deviceSetup.createMachine({
    context: ({ input }) => deviceContext(input),
    initial: 'up',
    states: { up: { initial: 'inner', states: { inner: {} } } },
  })
  assert.match(
    refused(() => defineDevice('nested', { device: nested })),
    /^driver 'nested': its device is no plain machine: .*up/,
  )
  assert.match(
    refused(() => defineDevice('a b')),
    /expected a name of letters/,
  )
  defineDevice('taken', { device, handler: range })
  assert.match(
    refused(() => defineDevice('taken')),
    /there is one of this name already/,
  )
})

const ours = defineDevice('ours')
const raced = (driver: boolean, profile?: string): Built =>
  scenario('a fault against a discard', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device('gpu0', driver ? { driver: ours } : {})]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 42)
    m.race(gpu.fault(buf), cpu.madvise(buf, 'dontneed'))
    expect.always('no stale device mapping', noStaleDeviceMapping)
  }).build(profile)

test('a machine that cannot say what becomes of it, or that is no device at all, is told of', () => {
  const stuck = handlerSetup.createMachine({
    context: ({ input }) => handlerContext(input),
    initial: 'idle',
    states: { idle: { meta: { does: 'idle' }, on: { fault: { guard: 'failed' } } } },
  })
  const driver = defineDevice('stuck', { handler: stuck })
  const built = scenario('a test', ({ linux }) => {
    const m = linux()
    m.device('gpu0', { driver }).fault(m.thread().mmap({ pages: 1 }))
  }).build()
  assert.throws(() => runScenario(built), /^gpu0\.range in 'idle' has no transition for its own 'fault': .*none of its guards holds/)
  assert.throws(() => explore(modelOf(built)), /has no transition for its own 'fault'/)
  const define = (): unknown =>
    defineDevice('thread', {
      // @ts-expect-error: what a thread keeps is no device's table
      device: thread,
    })
  assert.match(refused(define), /no state of its device takes 'invalidate'/)
})

test('our own machines as a driver do what they do without', () => {
  const story = (built: Built): readonly string[] => {
    const run = prepare(built, { seed: 3 })
    const does: string[] = []
    run.entries$.subscribe(entry => void does.push(`${entry.choice.by} ${entry.do}`))
    while (run.advance() === undefined) continue
    return does
  }
  assert.equal(story(raced(true)), story(raced(false)))
  assert.is(runScenario(raced(true)).verdict, 'holds')
  assert.equal(story(raced(true, 'v6.12,+commitsUnchecked')), story(raced(false, 'v6.12,+commitsUnchecked')))
})

test('a kernel without interval notifiers is refused, and so are buffers without a driver', () => {
  assert.throws(() => raced(true, 'v5.2'), /gpu0: drivers of one's own are for kernels with interval notifiers, v5\.5 on; this is v5\.2$/)
  const buffers = scenario('a test', ({ linux }) => {
    const m = linux()
    m.device('gpu0', { buffers: [m.thread().mmap({ pages: 1 })] })
  })
  assert.throws(() => buffers.build(), /buffers are for a driver of one's own$/)
})

test('a description of a driver that nobody has defined says what to load', () => {
  const { system } = raced(true)
  const unknown = { ...system, actors: system.actors.map(a => ({ ...a, machine: a.machine.replace('driver:ours', 'driver:theirs') })) }
  assert.throws(
    () => linuxSystem(unknown),
    /^actor 'gpu0' is a 'driver:theirs', a driver that nobody has defined: .*: --load FILE; a program imports it$/,
  )
})

test('every word says what it does', () => {
  for (const { says, tells } of Object.values(DRIVER_WORDS)) assert.ok(says.length > 0 && tells.length > 0)
})

test.run()
