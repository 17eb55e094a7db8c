/** `mirrorwalk tour`, which `npm start` runs: how far model and kernels agree, and a race on the kernel that lost it and on one that does not. */
import type { Report } from '../scenario/run.ts'
import { conform, ownRecordings, showFailures, showSums } from './conform.ts'
import { EXIT, print, styled, type ExitCode } from './output.ts'
import { ownScenario } from './own-scenarios.ts'
import { runProfile, showRun, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'

/** All would take half a minute. */
const SAMPLE = 10
const RACE = 'seeds/004-stale-valid'
const KERNELS = ['v5.2', 'v6.12']

export async function tourCommand(): Promise<ExitCode> {
  print(styled('bold', 'Linux HMM as an event-sourced actor system'))
  print('Recorded programs of real kernels, run in the model; each step is compared to the last page-table bit.')
  print(`(Every ${SAMPLE}th of those that come along; npm run conform takes all.)`, '')
  const { sums, stopped } = await conform([ownRecordings()], { sample: SAMPLE })
  showSums(sums, 'kernels')
  showFailures(sums.failures)
  print('', '')

  const verdicts: Report['verdict'][] = []
  const logs: string[] = []
  const file = ownScenario(RACE)
  const source = `scenarios/${RACE}.ts`
  const scenario = await loadScenario(file)
  for (const profile of KERNELS) {
    const ran = await runProfile(file, scenario, profile, {})
    verdicts.push(ran.report.verdict)
    if (ran.log !== null) logs.push(ran.log)
    showRun(ran, `npx mirrorwalk run ${source} --profile ${profile}`, 'auto')
  }

  print('What to try next:')
  const log = logs[0] ?? ''
  for (const [command, what] of [
    [`npx mirrorwalk debug ${log}`, 'the run on and back: until noStaleDeviceMapping, show, why 16'],
    [`npx mirrorwalk explore ${source} --profile v5.2`, 'every order of events, and the shortest that loses the page'],
    [`npx mirrorwalk run ${source} --kernel v5.2 --against v6.12`, 'both kernels, and where they part'],
    ['npx mirrorwalk profiles', 'the kernels, and what differs'],
    ['README.md', 'your own first scenario, in ten minutes'],
  ])
    print(`  ${command}`, `      ${what}`)
  if (sums.failures.length > 0) return EXIT.violated
  return stopped ? EXIT.unknown : worst(verdicts)
}
