/**
 * The rows of research/hmm-semantics.md about lockless GUP and about page maps being torn down, each as a test that names
 * its row: the last of 5.1, 5.2 and 5.4 (v6.1, v6.12).
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import seed from '../../scenarios/seeds/003-gup-dax.ts'
import { prepare, runScenario, scenario, slice, until, type Thread } from '../../src/index.ts'
import { page } from '../../src/memory/address.ts'
import { AFTER, AT, known, Machine, since } from './dax-machine.ts'
import { MM } from './statements.ts'

const MODERN = ['v6.1', 'v6.12'].map(known)
const TO_THE_END = ['v4.14', 'v5.2', 'v6.1', 'v6.12'].map(known)
const slow = (does: readonly string[]): boolean => does.includes('mmap_read_lock')

// 5.1, the last row

test('5.1 fast: one lookup a run; each page takes and puts the page map', () => {
  const { refs } = new Machine(AFTER).read(0, 2).fast(0, 2)
  const one = ['pmem0 1', 'page 1', 'pmem0 1', 'pmem0 -1']
  assert.equal(refs, [...one, ...one, 'page -2', 'pmem0 -2'])
})

test('5.1 fast: failure gives back all that was taken of this table, and leaves the rest to the slow path', () => {
  // Two tables: their pages are from 0 and from 512 on. The first of each is the process's own, the others are DAX.
  const machine = (): Machine => {
    const pages = { mm: MM, start: page(AT), end: page(AT + 520) }
    const made = new Machine(AFTER, { pages: 520, shared: false }).run({ do: 'madvise', ...pages, advice: 'nohuge' })
    return made.read(509, 5).write(510, 3).release()
  }
  // The slow path takes the own pages again before it goes in circles.
  assert.equal(machine().fastFacts(512, 2), ['page 1', 'page -1', 'page 1'])
  assert.equal(machine().fastFacts(510, 4), ['page 1', 'page 1', 'page 1', 'page -1', 'page 1'])
})

test('5.1 fast: 4.5 and 4.9 do not ask whether a small devmap entry may be written; of 2 MiB they do', () => {
  const small = new Machine(AFTER).read(0)
  assert.equal([small.fast(0, 1, { write: true }).ret, /W/.test(small.entry(0))], [1, false])
  const large = new Machine(AFTER, { pages: 512 }).read(0)
  assert.equal([large.fast(0, 1, { write: true }).ret, /WD/.test(large.entry(0))], [1, true])
  for (const profile of since('v4.14')) {
    const machine = new Machine(profile).read(0)
    assert.equal([machine.fast(0, 1, { write: true }).ret, /WD/.test(machine.entry(0))], [1, true], profile.name)
  }
})

// 5.2

test('5.2 alive: the page can be had', () => {
  for (const profile of since('v4.5')) assert.is(new Machine(profile).read(0).gup(0, 1).ret, 1, profile.name)
})

test('5.2 killed, references left: teardown waits for them', () => {
  for (const { name } of since('v4.5')) {
    const run = prepare(seed.build(name, 'teardown'))
    const held: number[] = []
    run.entries$.subscribe(({ world: { memory } }) => {
      const taken = [...memory.frames.refs.runs(4 * 2 ** 20, 5 * 2 ** 20)].some(([, , refs]) => refs > 1)
      if (memory.killed !== undefined && taken) held.push(memory.pagemaps['pmem0'] ?? 0)
    })
    let report = run.advance()
    while (report === undefined) report = run.advance()
    assert.is(report.verdict, 'holds', name)
    // In 4.5 a page holds its page map; later nothing does, and the pages themselves are waited for.
    assert.ok(held.length > 0 && held.every(refs => refs === (name === 'v4.5' ? 1 : 0)), `${name}: ${held.join(' ')}`)
  }
})

test('5.2 killed, no references left: torn down, and gone for good', () => {
  for (const profile of since('v4.5')) {
    const machine = new Machine(profile, { pages: 512 }).read(0).release()
    assert.is(machine.gup(0, 1).ret, 'EFAULT', profile.name)
    assert.is(machine.answer({ do: 'devm_memremap_pages_release', pagemap: 'pmem0' }), 'ENXIO')
  }
})

test('5.2 killed: what is not mapped yet cannot be: SIGBUS', () => {
  for (const profile of since('v4.4')) assert.is(new Machine(profile).read(0).release().gup(1, 1).ret, 'EFAULT', profile.name)
})

test('5.2 killed: a hole has no page that could be missing, and reads as the zero page; a device without page map has none that dies', () => {
  for (const profile of since('v4.4')) {
    const hole = new Machine(profile, { filled: false }).release().read(0)
    assert.match(hole.entry(0), /^P/, profile.name)
    if (profile.daxNeedsPagemap) continue
    assert.match(new Machine(profile, { pfnMap: false }).release().read(0).entry(0), /^P/, profile.name)
  }
})

test('5.2 get_dev_pagemap: cached and inside: the same, with no new reference; in 4.5 it is counted each time', () => {
  const count = (refs: readonly string[]): number => refs.filter(fact => fact === 'pmem0 1').length
  for (const profile of MODERN) {
    assert.is(count(new Machine(profile).read(0, 4).gup(0, 4).refs), 1, profile.name)
    assert.is(count(new Machine(profile).read(0, 4).fast(0, 4).refs), 1, profile.name)
  }
  assert.is(count(new Machine(known('v4.14')).read(0, 4).gup(0, 4).refs), 4)
  // Once for the lookup, once for the page.
  assert.is(count(new Machine(AFTER).read(0, 4).fast(0, 4).refs), 8)
})

test('5.2 get_dev_pagemap: not live: no reference is had', () => {
  for (const profile of MODERN) {
    const machine = new Machine(profile, { pages: 512 }).read(0).release()
    assert.equal([machine.gup(0, 1).refs, machine.fast(0, 1).refs], [[], []], profile.name)
  }
})

// 5.4

test('5.4 protnone: stop, by force too: the entry is not one that may be accessed', () => {
  for (const profile of MODERN)
    for (const force of [false, true]) {
      const machine = new Machine(profile, { shared: false })
        .write(0)
        .run({ do: 'mprotect', mm: MM, start: page(AT), end: page(AT + 4), prot: '-' })
      const { ret, does } = machine.fast(0, 1, { force })
      assert.equal([ret, slow(does)], [force ? 1 : 'EFAULT', true], profile.name)
    }
})

test('5.4 access not permitted by pte: stop', () => {
  for (const profile of MODERN) {
    const machine = new Machine(profile).read(0)
    assert.not.ok(slow(machine.fast(0, 1).does))
    assert.ok(slow(machine.fast(0, 1, { write: true }).does), profile.name)
  }
})

test('5.4 devmap pte: LONGTERM: stop, and the slow path refuses', () => {
  for (const profile of MODERN) {
    const { ret, does } = new Machine(profile).read(0).fast(0, 1, { take: 'pin', longterm: true })
    assert.equal([ret, slow(does)], ['EOPNOTSUPP', true], profile.name)
  }
})

test('5.4 where pages of DAX are like others (v7.1): taken in entries of both sizes, by the page alone; LONGTERM: stop, and refused', () => {
  const profile = known('v7.1')
  for (const pages of [4, 512]) {
    const machine = (): Machine => new Machine(profile, { pages }).read(0, 4)
    assert.is(machine().level(0), pages === 512 ? 'pmd' : 'pte')
    for (const take of ['get', 'pin'] as const) {
      const { ret, does, refs } = machine().fast(1, 3, { take })
      const kept = refs.reduce((sum, ref) => sum + Number(ref.split(' ')[1]), 0)
      assert.equal([ret, slow(does), refs.some(ref => ref.startsWith('pmem0')), kept], [3, false, false, 0], `${pages} ${take}`)
    }
    const { ret, does } = machine().fast(0, 1, { take: 'pin', longterm: true })
    assert.equal([ret, slow(does)], ['EOPNOTSUPP', true])
  }
})

test('5.4 devmap pte: lookup fails: all pages taken in this table run are undone', () => {
  for (const profile of TO_THE_END) {
    const machine = new Machine(profile, { shared: false }).read(0, 2).write(0).release()
    assert.equal(machine.fastFacts(0, 2).slice(0, 2), ['page 1', 'page -1'], profile.name)
  }
})

test('5.4 special, not devmap: stop', () => {
  for (const profile of MODERN) {
    const { ret, does } = new Machine(profile, { filled: false }).read(0).fast(0, 1)
    assert.equal([ret, slow(does)], [1, true], profile.name)
  }
})

/** A thread takes a page without a lock, and when it has read the entry, another takes it away. */
const race = (what: (cpu: Thread) => Parameters<Thread['munmap']>[0]) =>
  scenario('a lockless walk, and somebody else', ({ linux, expect }) => {
    const m = linux()
    const buf = what(m.thread('cpu0'))
    const [cpu, other] = [m.thread('cpu1'), m.thread('cpu2')]
    const gup = cpu.gup(slice(buf, 0), { fast: true })
    const gone = other.munmap(buf)
    m.race(gup, gone).order(until(gup, 'gup_fast_recheck'), gone, gup)
    expect.returns(gup, 'EFAULT')
    expect.finally('nothing is held', ({ world: { memory } }) => memory.pagemaps['pmem0'] === undefined || memory.pagemaps['pmem0'] === 0)
  })

test('5.4 normal: taken, and looked at again: an entry that has changed is given up, and the page', () => {
  const anonymous = race(cpu => {
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 7)
    return buf
  })
  const dax = race(cpu => {
    const buf = cpu.mmap({ pages: 4, shared: true, of: cpu.open('data', { fs: 'dax', pages: 4, fill: 1 }) })
    cpu.read(buf)
    return buf
  })
  for (const { name } of TO_THE_END)
    for (const told of [anonymous, dax]) {
      const run = prepare(told.build(name))
      const does: string[] = []
      run.entries$.subscribe(e => void (e.choice.by === 'cpu1' && does.push(e.do)))
      let report = run.advance()
      while (report === undefined) report = run.advance()
      assert.is(report.verdict, 'holds', `${name}: ${JSON.stringify(report.verdicts)}`)
      assert.match(does.join(' '), /gup_pte_range gup_fast_grab gup_fast_recheck .*mmap_read_lock/, name)
    }
})

test('5.4 not exclusive, PIN, read-only: stop; the slow path makes a copy', () => {
  for (const { name } of MODERN) {
    const told = scenario('pinned after a fork', ({ linux, expect }) => {
      const cpu = linux().thread('cpu0')
      const buf = cpu.mmap({ pages: 1 })
      cpu.write(buf, 7)
      cpu.fork()
      expect.returns(cpu.gup(buf, { fast: true }), 1)
      expect.finally('what is only taken is shared still', view => view.refs(buf.start) === 1)
      expect.returns(cpu.gup(buf, { fast: true, take: 'pin' }), 1)
    })
    const report = runScenario(told.build(name))
    assert.is(report.verdict, 'holds', JSON.stringify(report.verdicts))
  }
})

test('5.4 non-present: stop; the remaining pages are had by the slow path', () => {
  for (const profile of MODERN) {
    const { ret, does } = new Machine(profile).read(0, 2).fast(0, 4)
    assert.equal([ret, slow(does), does.includes('vmf_insert_pfn')], [4, true, true], profile.name)
  }
})

test.run()
