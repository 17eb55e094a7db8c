/** The options of `mirrorwalk explore` and `simulate`. */
import { Option, type Command } from 'commander'
import { REDUCTIONS, STRATEGIES } from '../../explore/choice.ts'
import { SCHEDULERS } from '../../explore/strategies/simulate.ts'
import { exploreCommand, simulateCommand } from '../explore.ts'
import { json, listed, whole, type Verb } from '../options.ts'

export function declareExploring(program: Command, verb: Verb): void {
  program
    .command('explore')
    .description('every order of events of a scenario: the shortest counterexample, or exactly what was covered')
    .argument('<scenario>', 'a .ts or .js file whose default export is scenario(…)')
    .option('--kernel, --profile <name>', 'the kernel; without it, each that the scenario is meant for')
    .option('--variant <name>', 'the variant; without it, each that the scenario has')
    .addOption(new Option('--strategy <name>', 'breadth first (bfs, shortest counterexamples) or depth first').choices(STRATEGIES))
    .addOption(new Option('--reduction <name>', 'what is left out because it would tell nothing new').choices(REDUCTIONS))
    .option('--max-states <n>', 'stop after so many states', whole)
    .option('--max-depth <n>', 'go no further than so many steps', whole)
    .option('--timeout <seconds>', 'stop after so many seconds', whole)
    .option('--memory <MiB>', 'stop when the states that were found take so much', whole)
    .option('--with <name=value>', 'what the scenario is to be made with; may be repeated', listed)
    .option('--sweep <name=values>', 'explore each of them (devices=1..3, profile=v5.2,v6.12), as a table; may be repeated', listed)
    .option('--workers <n>', 'share the states out among so many threads; for bfs without a reduction', whole)
    .option('--checkpoint <file>', 'write there, from time to time and when cut short, what is needed to go on')
    .option('--every <seconds>', 'how often a checkpoint is written; without it, every minute', whole)
    .option('--resume <file>', 'go on from a checkpoint, as if nothing had happened')
    .option('--count', 'also count the interleavings that the states stand for, and their classes')
    .option('--coverage', 'also tell which states and transitions of each machine were come to, and which never')
    .option('--token <token>', 'show an order of events that was found before')
    .option('--as-found', 'show the order of events that was found, and not the simplest that comes to the same')
    .option('--log <file>', 'write the event log of what was found there; without it, below logs/')
    .option('--no-log', 'write no event log')
    .addOption(json())
    .action(verb(exploreCommand))

  program
    .command('simulate')
    .description('many orders of events of a scenario, drawn at random; for what is too large to explore')
    .argument('<scenario>', 'a .ts or .js file whose default export is scenario(…)')
    .option('--kernel, --profile <name>', 'the kernel; without it, each that the scenario is meant for')
    .option('--variant <name>', 'the variant; without it, each that the scenario has')
    .option('--with <name=value>', 'what the scenario is to be made with; may be repeated', listed)
    .addOption(new Option('--scheduler <name>', 'how runs are drawn').choices(SCHEDULERS))
    .option('--seed <n>', 'the same runs again', whole)
    .option('--runs <n>', 'how many runs', whole)
    .option('--as-found', 'show the order of events that was found, and not the simplest that comes to the same')
    .option('--timeout <seconds>', 'stop after so many seconds', whole)
    .option('--log <file>', 'write the event log of what was found there; without it, below logs/')
    .option('--no-log', 'write no event log')
    .addOption(json())
    .action(verb(simulateCommand))
}
