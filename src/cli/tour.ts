/** `mirrorwalk tour`, which `npm start` runs: how far model and kernels agree, and two races, seen. */
import type { Report } from '../scenario/run.ts'
import { conform, ownRecordings, showFailures, showSums } from './conform.ts'
import { EXIT, print, styled, type ExitCode } from './output.ts'
import { ownScenario } from './own-scenarios.ts'
import { runProfile, showRun, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'

/** All would take half a minute. */
const SAMPLE = 10
const SCENARIOS = ['seeds/004-stale-valid', 'races/fault-against-munmap']

export async function tourCommand(): Promise<ExitCode> {
  print(styled('bold', 'Linux HMM as an event-sourced actor system'))
  print('Recorded programs of real kernels, run in the model; each step is compared to the last page-table bit.')
  print(`(Every ${SAMPLE}th of those that come along; npm run conform takes all.)\n`)
  const { sums, stopped } = await conform([ownRecordings()], { sample: SAMPLE })
  showSums(sums)
  showFailures(sums.failures)
  print('\n')

  const verdicts: Report['verdict'][] = []
  const logs: string[] = []
  for (const name of SCENARIOS) {
    const file = ownScenario(name)
    const source = `scenarios/${name}.ts`
    const scenario = await loadScenario(file)
    for (const profile of scenario.profiles) {
      const ran = await runProfile(file, scenario, profile, {})
      verdicts.push(ran.report.verdict)
      if (ran.log !== null) logs.push(ran.log)
      showRun(ran, `npx mirrorwalk run ${source} --profile ${profile}`, 'auto')
    }
  }

  print(`The event logs are in ${logs.join(', ')}.\n`)
  print('What to try next:')
  const log = logs[0] ?? ''
  for (const [command, what] of [
    [`npx mirrorwalk replay ${log}`, 'decide every step again, and compare'],
    [`npx mirrorwalk log ${log} --page 16`, 'who did what to a page'],
    [`npx mirrorwalk run scenarios/${SCENARIOS[0]}.ts --profile v5.2 --seed 18`, 'the same page lost in an order found at random'],
    [`npx mirrorwalk run scenarios/${SCENARIOS[0]}.ts --kernel v5.2 --against v6.12`, 'both kernels, and where they part'],
    ['npx mirrorwalk profiles', 'the kernels, and what differs'],
    ['README.md', 'your own first scenario, in ten minutes'],
  ])
    print(`  ${command}\n      ${what}`)
  if (sums.failures.length > 0) return EXIT.violated
  return stopped ? EXIT.unknown : worst(verdicts)
}
