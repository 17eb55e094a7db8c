/**
 * `mirrorwalk mutants`: how much the properties of a scenario are worth. Each bug that its kernel can have is put into that, one at a
 * time, and all orders of events are explored: do the properties catch it?
 */
import { exploring, type Exploration, type Found } from '../explore/explore.ts'
import { doSame } from '../explore/same.ts'
import { BUGS, bugNames, whyNot, type BugName } from '../kernel/bugs.ts'
import type { Scenario } from '../scenario/api.ts'
import { modelOf, type LinuxModel } from '../scenario/explored.ts'
import { profileOf } from '../scenario/standard.ts'
import { optionsOf, type ExploreFlags } from './explore-flags.ts'
import { plural, print, printJson, styled, table, UsageError, Work, type ExitCode } from './output.ts'
import { buildOf, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'
import { searched } from './searching.ts'

export type MutantsFlags = Pick<ExploreFlags, 'profile' | 'variant' | 'maxStates' | 'timeout' | 'memory' | 'json'>

/** What became of a bug: with it the scenario does nothing else than without, or its properties see it, or they do not. */
type Fate = 'caught' | 'survived' | 'not exercised' | 'unknown'

interface Mutant {
  readonly bug: BugName
  readonly fate: Fate
  /** The property that catches it, and the order of events. */
  readonly by?: Found
}

/** A kernel and a variant of the scenario: what became of every bug. */
interface Scored {
  readonly title: string
  readonly profile: string
  /** What is violated without any bug, or why that is not known: then mutants tell nothing. */
  readonly unfit?: { readonly verdict: 'violated' | 'unknown'; readonly why: string }
  readonly mutants: readonly Mutant[]
  /** Bugs that the kernel cannot have, and why. */
  readonly impossible: readonly { readonly bug: BugName; readonly why: string }[]
}

export async function mutantsCommand(file: string, flags: MutantsFlags): Promise<ExitCode> {
  const scenario = await loadScenario(file)
  const profile = flags.profile ?? scenario.exhibit?.right ?? scenario.profiles.at(-1) ?? ''
  const work = new Work()
  const all: Scored[] = []
  for (const variant of flags.variant === undefined ? scenario.variants : [flags.variant]) {
    const scored = await score({ file, scenario, variant, flags, work }, profile)
    all.push(scored)
    if (flags.json !== true) show(scored)
  }
  work.end()
  if (flags.json === true) printJson({ scenario: scenario.title, mutants: all.map(asJson) })
  return worst(all.map(verdictOn))
}

/** What all mutants of a scenario have in common. */
interface Bench {
  readonly file: string
  readonly scenario: Scenario
  readonly variant: string
  readonly flags: MutantsFlags
  readonly work: Work
}

async function score(bench: Bench, profile: string): Promise<Scored> {
  const { file, scenario, variant, flags } = bench
  const { title } = buildOf(file, scenario, profile, variant)
  const kernel = profileOf(profile)
  const impossible = bugNames.flatMap(bug => {
    const why = whyNot(kernel, bug)
    return why === undefined ? [] : [{ bug, why }]
  })
  const sound = modelFor(bench, profile)
  const { result } = await searched(exploring(sound, optionsOf(flags)), { ...bench, title, timeout: flags.timeout })
  const unfit = whyUnfit(result)
  if (unfit !== undefined) return { title, profile, unfit, mutants: [], impossible }
  const possible = bugNames.filter(bug => !kernel.bugs.includes(bug) && !impossible.some(other => other.bug === bug))
  const mutants: Mutant[] = []
  for (const bug of possible) mutants.push(await mutated(bench, sound, `${profile},+${bug}`, bug))
  return { title, profile, mutants, impossible }
}

function modelFor({ file, scenario, variant }: Bench, profile: string): LinuxModel {
  const built = buildOf(file, scenario, profile, variant)
  if (built.system.profile !== profileOf(profile).name)
    throw new UsageError(
      `${file}: it names its kernel itself, linux('${built.system.profile}'), so that no bug can be put into it. Expected linux() without a name; --kernel says which.`,
    )
  return modelOf(built)
}

function whyUnfit({ verdict, found, cut }: Exploration): Scored['unfit'] {
  if (verdict === 'holds') return undefined
  if (verdict === 'unknown') return { verdict, why: `exploring it without any bug was cut short (${cut ?? ''})` }
  return { verdict, why: `without any bug it is violated already: ${found.find(f => f.verdict === 'violated')?.property ?? ''}` }
}

async function mutated(bench: Bench, sound: LinuxModel, kernel: string, bug: BugName): Promise<Mutant> {
  const { flags, work } = bench
  if (work.stopped) return { bug, fate: 'unknown' }
  const model = modelFor(bench, kernel)
  const searching = { work, title: kernel, timeout: flags.timeout }
  const { result: same } = await searched(doSame(sound, model, { maxStates: flags.maxStates ?? Infinity }), searching)
  if (same === true) return { bug, fate: 'not exercised' }
  const { result } = await searched(exploring(model, optionsOf(flags)), searching)
  const by = result.found.find(f => f.verdict === 'violated')
  if (by !== undefined) return { bug, fate: 'caught', by }
  // That nothing was seen counts only if it is known that there was something to see.
  return { bug, fate: result.complete && same === false ? 'survived' : 'unknown' }
}

const verdictOn = ({ unfit, mutants }: Scored): 'holds' | 'violated' | 'unknown' => {
  if (unfit !== undefined) return unfit.verdict
  if (mutants.some(({ fate }) => fate === 'survived')) return 'violated'
  return mutants.some(({ fate }) => fate === 'unknown') ? 'unknown' : 'holds'
}

/** In the order in which they are told. */
const MARKS: Readonly<Record<Fate, string>> = { caught: '✔', survived: '✘', unknown: '?', 'not exercised': '·' }
const fates = Object.keys(MARKS) as readonly Fate[]

function show({ title, profile, unfit, mutants, impossible }: Scored): void {
  print(`${styled('bold', title)}  ${styled('dim', `kernel profile ${profile}`)}`)
  if (unfit !== undefined) return print(`  ${unfit.why}. Mutants tell something only of what holds.\n`)
  const sorted = fates.flatMap(fate => mutants.filter(mutant => mutant.fate === fate))
  const rows = sorted.map(({ bug, fate, by }) => [MARKS[fate], bug, fate, by?.property ?? '', `${by?.trail?.length ?? ''}`])
  for (const line of table([['', 'bug', '', 'by', 'steps'], ...rows])) print(line)
  const of = (fate: Fate): number => mutants.filter(mutant => mutant.fate === fate).length
  const exercised = mutants.length - of('not exercised')
  const left = of('unknown') === 0 ? '' : `; of ${of('unknown')} it is not known`
  print(`\n${of('caught')} of ${plural(exercised, 'bug')} caught${left}. ${of('not exercised')} more change nothing that it does.`)
  if (impossible.length > 0) print(styled('dim', `${profile} cannot have ${impossible.map(({ bug }) => bug).join(', ')}.`))
  for (const { bug } of mutants.filter(mutant => mutant.fate === 'survived'))
    print(`${styled('red', MARKS.survived)} ${bug}: ${BUGS[bug].says}`)
  print()
}

const asJson = ({ title, profile, unfit, mutants, impossible }: Scored): object => ({
  title,
  profile,
  ...(unfit === undefined ? {} : { unfit }),
  mutants: mutants.map(({ bug, fate, by }) => ({
    bug,
    fate,
    ...(by === undefined ? {} : { property: by.property, steps: by.trail?.length, why: by.why }),
  })),
  impossible,
})
