/**
 * The museum: with the bug the shortest order of events that shows it is found, of exactly this length, and without it there is
 * none, anywhere. Every bug that can be put into a kernel has an exhibit.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type Exploration } from 'mirrorwalk/explore'
import { modelOf, scenario, type Scenario } from '../../src/index.ts'
import { bugNames } from '../../src/kernel/bugs.ts'
import { subjectOf } from '../../src/scenario/exhibit.ts'

const STALE = 'no stale device mapping'
const SURVIVES = 'the kernel survives'
const FAULT = 'gpu0.range, 1: fault answers as it must'
const CIRCLES = 'nobody goes in circles for ever'

/** By exhibit: what is violated, and in how many steps; and the worlds there are, with the bug and without. */
const WITNESSES: Readonly<Record<string, readonly [string, number, number, number]>> = {
  'close-keeps-memory': [SURVIVES, 36, 37, 42],
  'collapse-untold': [STALE, 25, 149, 236],
  'collect-flushes-late': ['cpu1, 2: read answers [0]', 26, 590, 570],
  'collect-forgets-dirt': ['cpu0, 8: read answers [2]', 54, 256, 252],
  'commits-unchecked': [STALE, 26, 200, 198],
  'dax-entry-cleared-silently': [STALE, 36, 38, 37],
  'device-reads-its-own-page': [SURVIVES, 44, 45, 47],
  'device-tlb-not-flushed': ['no stale device access', 28, 50, 79],
  'device-told-at-the-end': ['a page is given back when no device has it any more', 27, 32, 30],
  'dma-in-flight': ['no stale device access', 34, 153, 133],
  'dirties-under-lock': ['nobody is blocked for ever', 27, 742, 742],
  'dying-page-map': [CIRCLES, 31, 31, 36],
  'endless-write-fault': [CIRCLES, 48, 48, 51],
  'exclusive-fault-unreferenced': ['who locks a frame has it', 38, 136, 153],
  'exclusive-retry-leaks': ['all is given back and unlocked', 43, 322, 231],
  'fault-against-exit': [SURVIVES, 16, 163, 171],
  'fault-in-a-gap': [SURVIVES, 21, 22, 26],
  'foreign-private-accepted': ["no device maps another one's private memory", 38, 41, 57],
  'fork-untold': ['no write crosses the fork', 32, 137, 165],
  'gup-against-teardown': ['nobody has a page without its page map', 30, 51, 50],
  'gup-fast-against-collapse': ['what is pinned stays', 23, 128, 134],
  'migrates-pinned': ['what is pinned stays', 26, 195, 198],
  'migration-not-awaited': [FAULT, 31, 980, 805],
  'refusal-swallowed': [STALE, 26, 218, 213],
  'remove-sees-sequence': ['a notifier that was removed is not known any more', 31, 206, 188],
  'rights-of-the-next-area': ['gpu0.range, 1: snapshot answers {err: null}', 29, 30, 29],
  'mremap-flushes-late': ['nothing leads to a free frame', 32, 241, 222],
  'own-migration-unheard': [SURVIVES, 37, 356, 1077],
  'private-fault-unreferenced': [SURVIVES, 37, 160, 171],
  'swap-not-faulted': [FAULT, 31, 32, 35],
  'truncate-against-gup': ['a block that somebody has stays', 35, 98, 105],
  'valid-flag-forgets': [STALE, 29, 225, 198],
  'write-crosses-fork': ['no write crosses the fork', 33, 628, 616],
}

const room = join(import.meta.dirname, '../../scenarios/races')
const exhibits = new Map<string, Scenario & Required<Pick<Scenario, 'exhibit'>>>()
for (const file of readdirSync(room).toSorted()) {
  const { default: shown } = (await import(join(room, file))) as { readonly default: Scenario }
  const { exhibit } = shown
  if (exhibit !== undefined) exhibits.set(file.replace('.ts', ''), { ...shown, exhibit })
}

const explored = (shown: Scenario, kernel: string, variant = ''): Exploration => explore(modelOf(shown.build(kernel, variant)))

for (const [name, shown] of exhibits) {
  test(name, () => {
    const { exhibit, variants } = shown
    const [wrong, right] = [explored(shown, exhibit.wrong, variants[0]), explored(shown, exhibit.right, variants.at(-1))]
    const found = wrong.found.find(({ verdict }) => verdict === 'violated')
    assert.equal([found?.property, found?.trail?.length, wrong.searched.states, right.searched.states], WITNESSES[name])
    assert.equal([right.verdict, right.complete], ['holds', true], JSON.stringify(right.found))
  })
}

test('every bug has an exhibit, and tells what it is and where it is from', () => {
  assert.equal([...exhibits.keys()], Object.keys(WITNESSES).toSorted())
  const shown = new Set([...exhibits.values()].map(({ exhibit }) => exhibit.of))
  for (const bug of bugNames) assert.ok(shown.has(bug), bug)
  for (const { exhibit } of exhibits.values()) for (const text of Object.values(subjectOf(exhibit)).slice(0, 2)) assert.ok(text.length > 0)
})

test('an exhibit whose kernels do not show it is refused', () => {
  const exhibit =
    (wrong: string, right: string, of: 'commitsUnchecked' | 'invalidRange' = 'commitsUnchecked'): (() => void) =>
    () =>
      void scenario('a test', () => {}, { exhibit: { of, wrong, right } })
  assert.throws(exhibit('v6.12', 'v6.12'), /'a test' is no exhibit: v6\.12 does not have the bug .* 'v6\.12,\+commitsUnchecked'$/)
  assert.throws(exhibit('v6.12,+commitsUnchecked', 'v6.12,+commitsUnchecked'), /is to be without the bug, and has commitsUnchecked$/)
  assert.throws(exhibit('v6.1', 'v6.12', 'invalidRange'), /v6\.1 and v6\.12 do not differ in invalidRange$/)
  const untold = { of: { says: 'something is wrong', source: 'here' }, wrong: 'v6.12', right: 'v6.12' }
  assert.throws(() => scenario('a test', () => {}, { exhibit: untold }), /has no variant that is right; it takes two, the wrong one first$/)
})

test.run()
