/**
 * Locks of files: who changes one does so alone, and faults on a file on DAX wait until it has lost its blocks (since v4.5). Every
 * order of events is looked at.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore } from 'mirrorwalk/explore'
import { modelOf, noDaxBlockFreedWhileHeld, scenario } from '../../src/index.ts'
import type { OpenOptions, View } from '../../src/index.ts'
import { frameOf, isPresent, NONE } from '../../src/memory/entry.ts'
import { PAGE_SIZE, ZERO_PFN } from '../../src/memory/memory.ts'
import type { Built } from '../../src/scenario/api.ts'

/** What does not hold of a scenario, by name. */
function violated(built: Built): readonly string[] {
  const { found, complete } = explore(modelOf(built))
  assert.ok(complete)
  return found.filter(({ verdict }) => verdict !== 'holds').map(({ property }) => property)
}

/** Somebody faults a block in and takes it, while the file loses it. */
const losing = (kernel: string, way: 'punch' | 'truncate', by: 'thread' | 'device'): Built =>
  scenario('a file on DAX loses a block that is faulted in', ({ linux, expect }) => {
    const m = linux()
    const [a, b] = [m.thread('a'), m.thread('b')]
    const file = a.open('data', { fs: 'dax', pages: 2, fill: 1 })
    const buf = a.mmap({ pages: 1, at: 16, shared: true, of: file })
    const loses = way === 'punch' ? a.punch(file, { start: 0, end: 1 }) : a.truncate(file, 0)
    if (by === 'device') m.race(loses, m.device('gpu').fault(buf, { attempts: 1 }))
    else m.race(loses, [b.read(buf), b.gup(buf, { fast: true })])
    expect.always('a block that somebody has stays', noDaxBlockFreedWhileHeld)
    expect.always('what is mapped is a block of a file', view => {
      const { files, mms } = view.world.memory
      const entry = mms['mm0']?.pte.get(buf.start) ?? 0
      const isMapped = isPresent(entry) && frameOf(entry) !== ZERO_PFN
      return isMapped && files['data']?.blocks.get(0) !== frameOf(entry) ? `it maps frame ${frameOf(entry)}` : undefined
    })
  }).build(kernel)

test('a file on DAX loses no block that somebody is faulting in, since v4.5', () => {
  for (const way of ['punch', 'truncate'] as const) {
    for (const kernel of ['v5.2', 'v6.1', 'v6.12', 'v7.1']) assert.equal(violated(losing(kernel, way, 'thread')), [], `${kernel} ${way}`)
    for (const kernel of ['v6.1', 'v6.12', 'v7.1']) assert.equal(violated(losing(kernel, way, 'device')), [], `${kernel} ${way}, device`)
    assert.equal(violated(losing('v4.4', way, 'thread')), ['what is mapped is a block of a file'])
  }
})

/** The size of the file, in pages, and what one of them contains. */
const sizeOf = ({ world }: View): number => (world.memory.files['data']?.size ?? 0) / PAGE_SIZE
function contentOf({ world: { memory } }: View, index: number): number {
  const file = memory.files['data']
  const cached = file?.cache.get(index) ?? NONE
  return memory.frames.content.get(isPresent(cached) ? frameOf(cached) : (file?.blocks.get(index) ?? 0))
}

test('a write and a truncation come one after the other', () => {
  for (const fs of ['memfd', 'ext4', 'dax'] as const satisfies readonly OpenOptions['fs'][]) {
    const built = scenario('who changes a file', ({ linux, expect }) => {
      const m = linux()
      const [a, b] = [m.thread('a'), m.thread('b')]
      const file = a.open('data', { fs, pages: 4, fill: 1 })
      m.race(a.truncate(file, 1), b.pwrite(file, { start: 2, end: 3 }, 7))
      const reads = a.pread(file, { start: 2, end: 3 })
      expect.answers(reads, ({ values }) => values[0] === 7 || values[0] === 0 || values.length === 0)
      expect.finally('it is cut off, or has what was written behind the cut', view => sizeOf(view) === 1 || contentOf(view, 2) === 7)
      expect.sometimes('it is cut off', view => sizeOf(view) === 1)
      expect.sometimes('it is there', view => sizeOf(view) > 2 && sizeOf(view) < 4)
    }).build('v6.12')
    assert.equal(violated(built), [], fs)
  }
})

test.run()
