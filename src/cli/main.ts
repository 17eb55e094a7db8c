#!/usr/bin/env node
/** The command line: one file a verb; here they are declared, and mistakes become messages. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { BadRecording } from '../conformance/recording.ts'
import { NotALog } from '../log/reader.ts'
import { BadScenario } from '../scenario/scenario.ts'
import { BadSpec } from '../scenario/standard.ts'
import { MODEL_VERSION } from '../version.ts'
import { againstCommand } from './against.ts'
import { conformCommand } from './conform.ts'
import { logCommand } from './log.ts'
import { EXIT, UsageError, type ExitCode } from './output.ts'
import { profilesCommand } from './profiles.ts'
import { replayCommand } from './replay.ts'
import { runCommand, type RunFlags } from './run.ts'
import { tourCommand } from './tour.ts'

const whole = (word: string): number => {
  const n = Number(word)
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('Expected a whole number, 0 or more.')
  return n
}
const listed = (word: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), word]
const json = (): Option => new Option('--json', 'print JSON, for programs')

let code: ExitCode = EXIT.holds
/** Wraps a verb: its exit code is the process's. */
const verb =
  <A extends readonly unknown[]>(run: (...args: A) => ExitCode | Promise<ExitCode>) =>
  async (...args: A): Promise<void> => {
    code = await run(...args)
  }

const program = new Command('mirrorwalk')
  .description('Linux HMM as an event-sourced actor system: run it, rewind it, and check it against real kernels')
  .version(MODEL_VERSION)
  .showHelpAfterError('(--help says more)')
  .addHelpText('after', '\nExit codes: 0 holds, 1 violated, 2 unknown (cut short), 3 the command was not understood')
  .exitOverride()

program
  .command('run')
  .description('run a scenario: verdicts, a timeline, and an event log')
  .argument('<scenario>', 'a .ts or .js file whose default export is scenario(…)')
  .option(
    '--kernel, --profile <name>',
    'the kernel, and what it was built without (v6.1,-thp); without it, each that the scenario is meant for',
  )
  .option('--against <name>', 'another kernel: shows the first step at which the two part')
  .option('--variant <name>', 'the variant; without it, each that the scenario has')
  .option('--seed <n>', 'choose at random, by this seed, instead of the order that the scenario has', whole)
  .option('--steps <n>', 'cut the run short after so many steps', whole)
  .option('--log <file>', 'write the event log there; without it, below logs/')
  .option('--no-log', 'write no event log')
  .option('--sync', 'write each record at once')
  .addOption(new Option('--timeline <which>', 'which runs to print step by step').choices(['auto', 'all', 'none']).default('auto'))
  .addOption(json())
  .action(
    verb((file: string, flags: RunFlags & { readonly against?: string }) =>
      flags.against === undefined ? runCommand(file, flags) : againstCommand(file, flags, flags.against),
    ),
  )

program
  .command('replay')
  .description('decide every step of a log again, from the recorded choices, and compare record by record')
  .argument('<log>')
  .option('--fold', 'apply the recorded facts alone, without any rule')
  .addOption(json())
  .action(verb(replayCommand))

program
  .command('log')
  .description('print the steps of a log')
  .argument('<log>')
  .option('--actor <name>', 'steps that this actor takes, or is changed or called by; may be repeated', listed)
  .option('--type <name>', 'steps that do this, or events and calls of this type; may be repeated', listed)
  .option('--page <n>', 'steps that concern this page', whole)
  .option('--from <n>', 'from this step on', whole)
  .option('--to <n>', 'up to this step', whole)
  .addOption(json())
  .action(verb(logCommand))

program
  .command('conform')
  .description('run recorded programs of real kernels in the model, and compare every step')
  .argument('[recordings...]', '.jsonl or .jsonl.gz files, or folders of them; without any, those of this checkout')
  .option('--kernel <version>', 'programs of this kernel; may be repeated', listed)
  .option('--family <name>', 'programs of this family; may be repeated', listed)
  .option('--level <name>', 'compare this level only: result, pfns, events, tables, bits; may be repeated', listed)
  .option('--sample <n>', 'run every n-th program of each file alone', whole)
  .addOption(json())
  .action(verb(conformCommand))

program
  .command('profiles')
  .description('the kernel profiles: the matrix of their switches, or what changed from one to another')
  .argument('[from]', 'a kernel, which may be built without something: v6.1,-thp')
  .argument('[to]', 'another, to see what changed')
  .addOption(json())
  .action(verb(profilesCommand))
program.command('tour').description('what `npm start` shows: conformance, and two races').action(verb(tourCommand))

const isMistake = (error: unknown): error is Error =>
  error instanceof UsageError ||
  error instanceof BadRecording ||
  error instanceof BadScenario ||
  error instanceof BadSpec ||
  error instanceof NotALog

// Who reads the output may have seen enough: `| head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(code)
})

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) code = error.exitCode === 0 ? EXIT.holds : EXIT.usage
  else if (isMistake(error)) {
    process.stderr.write(`mirrorwalk: ${error.message}\n`)
    code = EXIT.usage
  } else {
    process.stderr.write(`mirrorwalk: this is a defect of mirrorwalk, not of your input; please report it with what you ran.\n`)
    throw error
  }
}
process.exitCode = code
