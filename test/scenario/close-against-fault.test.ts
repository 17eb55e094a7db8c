/**
 * What exploring finds of a fix: a file of the test driver that is closed brings its pages back from the device, since 2026; but it
 * tries once, and a page that a CPU fault has a reference to just then stays there, and leads to a file that is gone.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type Deed } from 'mirrorwalk/explore'
import { modelOf, retrace, scenario } from '../../src/index.ts'

const built = scenario('a file is closed while the CPU wants its page', ({ linux }) => {
  const m = linux()
  const [closing, reading] = [m.thread('cpu0'), m.thread('cpu1')]
  const dev = closing.openDevice(0)
  const buf = closing.mmap({ pages: 1 })
  closing.write(buf, 42)
  dev.migrateToDevice(buf)
  m.race(dev.close(), reading.read(buf))
}).build('v6.12')

test('closing against a call: the file goes when the last of them lets go of it, whoever that is', () => {
  const released = new Set<string>()
  for (const kernel of ['v6.1', 'v6.12', 'v7.1']) {
    const model = modelOf(
      scenario('a file is closed while somebody writes through it', ({ linux, expect }) => {
        const m = linux()
        const [closing, writing] = [m.thread('cpu0'), m.thread('cpu1')]
        const dev = closing.openDevice(0)
        const data = closing.open('data', { fs: 'memfd', pages: 2, fill: 1 })
        const buf = closing.mmap({ pages: 1 })
        closing.write(buf, 1)
        m.race(dev.close(), dev.usedBy(writing).write(buf, 4))
        m.race(closing.close(data), writing.pwrite(data, { start: 0, end: 2 }, 7))
        expect.finally('both files are gone', ({ world }) => Object.keys(world.memory.files).length === 0)
      }).build(kernel),
    )
    const whose = ({ by, do: what }: Deed): undefined => {
      if (what === 'dmirror_free') released.add(by)
    }
    const { found, complete } = explore({ ...model, properties: [...model.properties, { kind: 'step', name: 'whose', wrong: whose }] })
    assert.equal([found.filter(f => f.verdict !== 'holds'), complete], [[], true])
  }
  assert.equal([...released].toSorted(), ['cpu0', 'cpu1'])
})

test('closing against a fault: the fix of v6.12 is not whole', () => {
  const model = modelOf(built)
  const { found, complete, searched } = explore(model)
  const died = found.find(({ verdict }) => verdict === 'violated')
  assert.equal([died?.property, died?.trail?.length, complete, searched.states], ['the kernel survives', 48, true, 213])
  const steps = retrace(model.system, died?.trail ?? []).map(({ choice, do: what }) => `${choice.by} ${what}`)
  // The file finds the page in use, and gives it up; it is freed, and then the fault is made again.
  const order = ['cpu1 dmirror_devmem_fault', 'cpu0 migrate_check_page', 'cpu0 dmirror_free', 'cpu1 page_fault']
  assert.equal(
    order.map(step => steps.lastIndexOf(step)).toSorted((a, b) => a - b),
    order.map(step => steps.lastIndexOf(step)),
  )
  assert.ok(order.every(step => steps.includes(step)))
})

test.run()
