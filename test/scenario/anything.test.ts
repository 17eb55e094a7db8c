/**
 * Whatever two threads of a process, its child and a device do at once, in whatever order: nothing is a defect of the model, nobody waits
 * for ever, and when all are at rest the books balance. What has no known bug, lets nobody see what is not its own.
 */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { framesBalance, lockedFramesAreHeld, noFreedFrameMapped, noStaleMappingOn, runScenario, scenario } from '../../src/index.ts'
import { profiles, type Profile } from '../../src/kernel/profiles.ts'
import { profileOf } from '../../src/scenario/standard.ts'
import { LARGE, makes, race, SMALL, type Place, type Race } from './anything.ts'

const STEPS = 60_000

/** `begun`: is there anything in the pages when it begins, and has the process a child? */
const told = (profile: Profile, place: Place, races: readonly Race[], begun: boolean) =>
  scenario('anything', ({ linux, expect }) => {
    const m = linux()
    const [a, b, device] = [m.thread('a'), m.thread('b'), m.device('gpu')]
    const pages = place.count
    const dax = a.open('dax', { fs: 'dax', pages, fill: 1 })
    const files = [a.open('memfd', { fs: 'memfd', pages, fill: 2000 }), a.open('ext4', { fs: 'ext4', pages, fill: 4000 }), dax]
    const mirror = profile.coherentMemory ? a.openDevice(0) : null
    const memory = a.mmap({ pages, at: place.memory })
    a.mmap({ pages, at: place.file, shared: begun, of: dax })
    if (begun) a.write(memory, 100)
    const child = begun ? a.fork() : null
    for (const deeds of races) {
      const branches = deeds
        .map((of, i) => (i === 2 && child === null ? [] : of.map(d => makes({ thread: [a, b, child][i] ?? b, device, files, mirror }, d))))
        .filter(of => of.length > 0)
      if (branches.length > 1) m.race(...branches)
    }
    expect.finally('the books balance', ({ names, world }) => {
      // Before v5.5, a walk may lose a reference to a page map for ever: test/kernel/programs.test.ts has when.
      const memory = profile.walkHoldsPagemap ? { ...world.memory, pagemaps: {} } : world.memory
      return framesBalance({ names, world: { ...world, memory } }) === undefined
    })
    if (profile.rangeValidity === 'sequence') {
      // The test driver maps what it has migrated without asking whether it was invalidated, and may be late. And MADV_PAGEOUT
      // takes an entry of 2 MiB of DAX memory for damage, up to v6.4, and tells no device.
      if (place === SMALL || profile.reclaimKnowsDaxPmd) expect.always('no stale mapping', noStaleMappingOn('gpu'))
      expect.always('nothing leads to a free frame', noFreedFrameMapped)
      expect.always('who locks a frame has it', lockedFramesAreHeld)
    }
  }).build(profile.name)

/** Of a kernel, and how often all came to rest. */
function check(kernel: string, place: Place, numRuns: number): number {
  let rested = 0
  const profile = profileOf(kernel)
  fc.assert(
    fc.property(fc.array(race(place), { minLength: 1, maxLength: 2 }), fc.boolean(), fc.nat(), (races, begun, seed) => {
      const { ended, died, verdicts } = runScenario(told(profile, place, races, begun), { seed, steps: STEPS })
      // The test driver dies of what it reads and writes; so do old kernels of their bugs, and some have a device fault in circles.
      if (profile.rangeValidity === 'sequence') assert.match(died?.where ?? 'dmirror', /^dmirror/)
      if (died !== undefined || ended.why === 'livelock' || ended.why === 'limit') return
      assert.is(ended.why, 'at rest')
      assert.equal(
        verdicts.filter(v => v.holds === false),
        [],
      )
      rested++
    }),
    { numRuns, endOnFailure: numRuns > 1000 },
  )
  return rested
}

for (const { name } of profiles.filter(p => p.hasHmm)) {
  test(`${name}: whatever is done at once`, () => {
    const rested = [check(name, SMALL, 60), check(name, LARGE, 4)] as const
    assert.ok(rested[0] > 30 && rested[1] > 0, `${rested.join(' and ')} came to rest`)
  })
}

// Bugs that races of this kind come upon.
for (const bug of ['commitsUnchecked', 'refusalSwallowed']) {
  test(`with ${bug} in it, a kernel is told from one without`, () => {
    assert.throws(() => check(`v6.12,+${bug}`, SMALL, 5000), /Property failed/)
  })
}

test.run()
