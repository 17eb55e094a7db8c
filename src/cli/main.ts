#!/usr/bin/env node
/** The command line: one file a verb; here they are declared, and mistakes become messages. */
import { Command, CommanderError, Option } from 'commander'
import { BadRecording } from '../conformance/recording.ts'
import { DamagedLog } from '../log/log-file.ts'
import { BadNotes } from '../log/notes.ts'
import { NoScenario } from '../inspect/exports/scenario.ts'
import { QueryError } from '../inspect/query/tokens.ts'
import { BadTrail, NotDeterministic } from '../explore/model.ts'
import { BadCheckpoint } from '../explore/strategies/paused.ts'
import { Unsound } from '../explore/strategy.ts'
import { BadToken } from '../explore/token.ts'
import { NotALog } from '../log/reader.ts'
import { BadScenario } from '../scenario/scenario.ts'
import { BadSpec } from '../scenario/standard.ts'
import { Undecided } from '../system/step.ts'
import { MODEL_VERSION } from '../version.ts'
import { againstCommand } from './against.ts'
import { bisectCommand } from './bisect.ts'
import { bugsCommand } from './bugs.ts'
import { conformCommand } from './conform.ts'
import { debugCommand } from './debug.ts'
import { declareExploring } from './explore/explore-options.ts'
import { logCommand } from './log.ts'
import { diffCommand } from './diff.ts'
import { exportCommand, FORMAT_NAMES } from './export.ts'
import { importCommand } from './import.ts'
import { json, listed, whole, type Verb } from './options.ts'
import { EXIT, harmless, UsageError, type ExitCode } from './output.ts'
import { mutantsCommand } from './mutants.ts'
import { profilesCommand } from './profiles.ts'
import { replayCommand } from './replay.ts'
import { runCommand, type RunFlags } from './run.ts'
import { loadFirst } from './scenario-file.ts'
import { lastCommand, whyCommand } from './why.ts'
import { tourCommand } from './tour.ts'
import { upcastCommand } from './upcast.ts'
import { repairCommand, verifyCommand } from './verify.ts'

let code: ExitCode = EXIT.holds
/** Wraps a verb: its exit code is the process's. */
const verb: Verb =
  <A extends readonly unknown[]>(run: (...args: A) => ExitCode | Promise<ExitCode>) =>
  async (...args: A): Promise<void> => {
    code = await run(...args)
  }

const program = new Command('mirrorwalk')
  .description('Linux HMM as an event-sourced actor system: run it, rewind it, and check it against real kernels')
  .version(MODEL_VERSION)
  .option('--load <file>', 'first load a file that defines drivers, to read logs of them')
  .hook('preAction', async command => loadFirst(command.opts()))
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
  .option('--with <name=value>', 'what the scenario is to be made with; may be repeated', listed)
  .option('--seed <n>', 'choose at random, by this seed, instead of the order that the scenario has', whole)
  .addOption(new Option('--token <token>', 'take the order of events that exploring has found').conflicts('seed'))
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

declareExploring(program, verb)

program
  .command('replay')
  .description('decide every step of a log again, from the recorded choices, and compare record by record')
  .argument('<log>')
  .option('--fold', 'apply the recorded facts alone, without any rule')
  .addOption(json())
  .action(verb(replayCommand))

const logs = program
  .command('log')
  .description('print the steps of a log: all, or those that a query means')
  .argument('<log>')
  .argument('[query...]', 'such as: page 16 and not actor cpu1; invalidation inside fault; change between fault and commit')
  .option('--actor <name>', 'steps that this actor takes, or is changed or called by; may be repeated', listed)
  .option('--type <name>', 'steps that do this, or events and calls of this type; may be repeated', listed)
  .option('--page <n>', 'steps that concern this page', whole)
  .option('--from <n>', 'from this step on', whole)
  .option('--to <n>', 'up to this step', whole)
  .option('--stats', 'count instead: by actor, by what is done, by kind')
  .option('--follow', 'go on while the log is being written')
  .addOption(json())
  .action(verb(logCommand))

// Both `log verify` and `verify`.
for (const parent of [logs, program]) {
  parent
    .command('verify')
    .description('check that every record of a log is as it was written; names the first that is not')
    .argument('<log>')
    .addOption(json())
    .action(verb(verifyCommand))
  parent
    .command('repair')
    .description('keep what is sound of a log that was cut off or changed')
    .argument('<log>')
    .option('--output <file>', 'write there; without it, in place, and what was there is kept beside it')
    .option('--redo', 'decide again what was lost, from the scenario, seed and chooser of the header')
    .option('--scenario <file>', 'for logs of format 1, which do not have all of it')
    .option('--steps <n>', 'the run was to be cut short after so many steps', whole)
    .addOption(json())
    .action(verb(repairCommand))
  parent
    .command('upcast')
    .description('bring a log of an earlier format up to this one')
    .argument('<log>')
    .option('--output <file>', 'write there; without it, in place, and what was there is kept beside it')
    .addOption(json())
    .action(verb(upcastCommand))
}

program
  .command('bisect')
  .description('the first step of a log at which a condition turns: exits 1 if there is one')
  .argument('<log>')
  .argument(
    '<condition...>',
    'a shipped oracle, or a condition on the world: noStaleDeviceMapping; "16 = none"; "mm0.registry.invalidate_seq > 2"',
  )
  .option('--all', 'every step at which it turns')
  .addOption(json())
  .action(verb(bisectCommand))

program
  .command('diff')
  .description('compare two states, LOG@STEP, or two whole runs: orders of independent events are no difference')
  .argument('<a>', 'a log, or LOG@STEP')
  .argument('<b>', 'another')
  .option('--verdict <condition>', 'judge runs by this, as bisect has it; without it, by the shipped oracles')
  .addOption(json())
  .action(verb(diffCommand))

program
  .command('export')
  .description('a log in the format of another tool')
  .argument('<log>')
  .addOption(new Option('--as <format>', 'which').choices(FORMAT_NAMES).makeOptionMandatory())
  .option('--output <file>', 'write there; without it, to standard output')
  .option('--from <step>', 'from this step on; without it, from the beginning', whole)
  .option('--to <step>', 'up to this step; without it, to the end', whole)
  .action(verb(exportCommand))

program
  .command('import')
  .description('run an ITF trace again that was exported, and write its log')
  .argument('<trace>', 'an .itf.json file')
  .option('--output <file>', 'the log; without it, beside the trace')
  .addOption(json())
  .action(verb(importCommand))

program
  .command('debug')
  .description('go through a log, or a run of a scenario, step by step and back')
  .argument('<log-or-scenario>', 'an event log; or a .ts or .js file, which is run first')
  .option('--commands <file>', 'do the commands of this file, and print what they say; the same for input that is no terminal')
  .option('--kernel, --profile <name>', 'of a scenario: the kernel')
  .option('--variant <name>', 'of a scenario: the variant')
  .option('--seed <n>', 'of a scenario: choose at random, by this seed', whole)
  .option('--log <file>', 'of a scenario: write the event log there; without it, below logs/')
  .action(verb(debugCommand))

program
  .command('why')
  .description('why a page is mapped as it is: who wrote the entry, which device entries came of it, and what should have ended them')
  .argument('<log>')
  .argument('<page>', '16, or mm0:16')
  .option('--at <step>', 'after this step; without it, at the end', whole)
  .addOption(json())
  .action(verb(whyCommand))

program
  .command('last')
  .description('which step last changed a part of the world: exits 1 if none did')
  .argument('<log>')
  .argument('<path>', '16, gpu0.table.16, frame.2.refs, mm0.registry.invalidate_seq, cpu0.state, …')
  .option('--at <step>', 'up to this step; without it, to the end', whole)
  .option('--next', 'which step changes it next, from there')
  .addOption(json())
  .action(verb(lastCommand))

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
  .command('bugs')
  .description('the museum: bugs of real kernels and drivers, each with its story, the shortest witness, and the fix explored to the end')
  .argument('[name]', 'tells one, and explores it with the bug and without')
  .option('--explore', 'explore all of them')
  .option('--timeout <seconds>', 'of each kernel, stop after so many seconds', whole)
  .option('--log <file>', 'write the event log of what was found there; without it, below logs/')
  .option('--no-log', 'write no event log')
  .addOption(json())
  .action(verb(bugsCommand))

program
  .command('mutants')
  .description('puts each known bug into the kernel under a scenario, one at a time: which of them do its properties catch?')
  .argument('<scenario>', 'a .ts or .js file whose default export is scenario(…)')
  .option('--kernel, --profile <name>', 'the kernel; without it, the newest that the scenario is meant for')
  .option('--variant <name>', 'the variant; without it, each that the scenario has')
  .option('--max-states <n>', 'of each bug, stop after so many states', whole)
  .option('--timeout <seconds>', 'of each bug, stop after so many seconds', whole)
  .option('--memory <MB>', 'of each bug, stop when the states would take more than so much', whole)
  .addOption(json())
  .action(verb(mutantsCommand))

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
  error instanceof QueryError ||
  error instanceof NoScenario ||
  error instanceof DamagedLog ||
  error instanceof BadNotes ||
  error instanceof BadTrail ||
  error instanceof BadToken ||
  error instanceof BadCheckpoint ||
  error instanceof NotDeterministic ||
  error instanceof Undecided ||
  error instanceof Unsound ||
  error instanceof NotALog

/** Says what went wrong, and answers how the process is to end. */
function told(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.holds : EXIT.usage
  if (isMistake(error)) complain(error.message)
  else if (error instanceof Error && 'syscall' in error) complain(`cannot go on: ${error.message}`)
  else {
    complain('this is a defect of mirrorwalk, not of your input; please report it with what you ran.')
    process.stderr.write(`${harmless(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`)
    return EXIT.unknown
  }
  return EXIT.usage
}
const complain = (what: string): void => void process.stderr.write(`${harmless(`mirrorwalk: ${what}`)}\n`)

// Who reads the output may have seen enough: `| head`. On a full disk, what was asked for is not there.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(code)
  complain(`the output cannot be written: ${error.message}`)
  process.exit(EXIT.usage)
})
process.on('uncaughtException', error => process.exit(told(error)))

try {
  await program.parseAsync()
} catch (error) {
  code = told(error)
}
process.exitCode = code
