/** The scenarios of this project hold, on every kernel they are meant for and in many orders of events. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import stale from '../../scenarios/seeds/004-stale-valid.ts'
import { prepare, runScenario, type Built, type Report, type Scenario } from '../../src/index.ts'
import { isBug } from '../../src/kernel/bugs.ts'
import { profileOf } from '../../src/scenario/standard.ts'

const folder = join(import.meta.dirname, '../../scenarios')
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  // What the self-tests share is no scenario.
  .filter(name => name.endsWith('.ts') && !name.endsWith('frame.ts'))
  .toSorted()
const SEEDS = 300
/** A scenario in which nobody races has one order, whatever the seed. */
const seedsFor = ({ plan }: Built): number => (plan.some(stage => stage.goals.length > 1) ? SEEDS : 0)

/** Is it an exhibit, on a kernel that has what it shows? */
function hasBug({ exhibit, variants }: Scenario, profile: string, variant: string): boolean {
  if (exhibit === undefined) return false
  const { of, wrong } = exhibit
  if (typeof of === 'object') return variant === variants[0]
  const kernel = profileOf(profile)
  return isBug(of) ? kernel.bugs.includes(of) : kernel[of] === profileOf(wrong)[of]
}

for (const file of files) {
  const { default: shipped } = (await import(join(folder, file))) as { readonly default: Scenario }
  for (const profile of shipped.profiles) {
    // A driver's mistakes are found by exploring: drivers.test.ts.
    for (const variant of file.startsWith('drivers') ? [''] : shipped.variants) {
      test(`${file} ${variant} on ${profile}`, () => {
        const built = shipped.build(profile, variant)
        const report = runScenario(built)
        // An exhibit is written so that its own order of events shows the bug; nobody can go on in some.
        if (hasBug(shipped, profile, variant)) assert.is.not(report.verdict, 'holds')
        else assert.is(report.verdict, 'holds', JSON.stringify(report.verdicts))
        // Exhibits are explored to the end, where the museum is tested.
        if (shipped.exhibit !== undefined) return
        for (let seed = 0; seed < seedsFor(built); seed++) {
          const seeded = runScenario(built, { seed })
          assert.is.not(seeded.verdict, 'violated', `seed ${seed}: ${JSON.stringify(seeded.verdicts)}`)
          assert.is(seeded.ended.why, 'at rest')
        }
      })
    }
  }
}

test("each of the kernel's own HMM tests is there, on private and on coherent memory", () => {
  assert.is(files.filter(name => name.startsWith('selftests')).length, 29)
})

test('seed 004: the stale page shows in few orders with a valid flag, and in none with a sequence', () => {
  const found = (profile: string): number => {
    const built = stale.build(profile)
    const reports: readonly Report[] = Array.from({ length: SEEDS }, (_, seed) => runScenario(built, { seed }))
    return reports.filter(r => r.verdicts.some(v => v.step !== undefined)).length
  }
  const onFlag = found('v5.2')
  assert.ok(onFlag > 9 && onFlag < 36, `${onFlag} of ${SEEDS}`)
  assert.is(found('v6.12'), 0)
  assert.is(found('v6.1'), 0)
})

test('seed 004, step by step: the device commits the old page, or begins again', () => {
  const story = (profile: string): string => {
    const run = prepare(stale.build(profile))
    const does: string[] = []
    run.entries$.subscribe(e => void (e.choice.by === 'gpu0.range' && does.push(e.do)))
    while (run.advance() === undefined) continue
    return does.slice(does.indexOf('driver_lock')).join(' ')
  }
  assert.is(story('v5.2'), 'driver_lock hmm_range_valid commit driver_unlock hmm_range_unregister return')
  assert.match(
    story('v6.12'),
    /^driver_lock mmu_interval_read_retry driver_unlock mmu_interval_read_begin mmap_read_lock .* driver_lock mmu_interval_read_retry commit driver_unlock return$/,
  )
})

test.run()
