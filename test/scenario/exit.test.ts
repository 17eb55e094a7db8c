/** Processes that end while somebody else is about their memory: drivers are told that it is gone, and nobody comes to harm. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore } from 'mirrorwalk/explore'
import { BadScenario, modelOf, scenario, type Command, type Mirror, type Pages } from '../../src/index.ts'

const COMMANDS: Readonly<Record<string, (dev: Mirror, buf: Pages) => Command>> = {
  snapshot: (dev, buf) => dev.snapshot(buf),
  read: (dev, buf) => dev.read(buf),
  exclusive: (dev, buf) => dev.exclusive(buf),
  'migrate to the device': (dev, buf) => dev.migrateToDevice(buf),
  'migrate back': (dev, buf) => dev.migrateToSystem(buf),
}

for (const [name, command] of Object.entries(COMMANDS)) {
  test(`a child uses its parent's mirror, and the parent ends: ${name}`, () => {
    const built = scenario('a test', ({ linux }) => {
      const m = linux()
      const cpu = m.thread('cpu0')
      const dev = cpu.openDevice(0)
      const buf = cpu.mmap({ pages: 1 })
      cpu.write(buf, 42)
      const child = cpu.fork()
      m.race(command(dev.usedBy(child), buf), cpu.exit())
    }).build('v6.12')
    const { verdict, complete } = explore(modelOf(built))
    assert.equal([verdict, complete], ['holds', true])
  })
}

test('a command for a process that has ended is refused, as the driver has it', () => {
  const built = scenario('a test', ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const dev = cpu.openDevice(0)
    const buf = cpu.mmap({ pages: 1 })
    const child = cpu.fork()
    cpu.exit()
    const late = dev.usedBy(child)
    expect.answers(late.read(buf), { err: 'EFAULT' })
    expect.answers(late.snapshot(buf), { err: 'EINVAL' })
    expect.answers(late.migrateToDevice(buf), { err: 'EINVAL' })
  }).build('v6.12')
  const { verdict, found } = explore(modelOf(built))
  assert.is(verdict, 'holds', JSON.stringify(found))
})

test('a process with two threads that are not done cannot be ended by one of them', () => {
  const racing = scenario('two threads', ({ linux }) => {
    const m = linux()
    const [a, b] = [m.thread('cpu0'), m.thread('cpu1')]
    const buf = a.mmap({ pages: 1 })
    m.race(a.exit(), b.write(buf, 1))
  })
  assert.throws(
    () => racing.build(),
    (e: unknown) => e instanceof BadScenario && /cpu0, 2: exit ends the process, and cpu1, 1: write .* not done before$/.test(e.message),
  )
})

test.run()
