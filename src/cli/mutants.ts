/**
 * `mirrorwalk mutants`: how much the properties of a scenario are worth. Each bug that its kernel can have is put into that, one at a
 * time, and all orders of events are explored: do the properties catch it?
 */
import { exploring, type Exploration, type Found } from '../explore/explore.ts'
import { doSame } from '../explore/answers/same.ts'
import { BUGS, bugNames, whyNot, type BugName } from '../kernel/bugs.ts'
import { wrapped } from '../inspect/wrap.ts'
import type { Scenario } from '../scenario/api.ts'
import { modelOf, type LinuxModel } from '../scenario/explored.ts'
import { profileOf } from '../scenario/standard.ts'
import { optionsOf, type ExploreFlags } from './explore/explore-flags.ts'
import { columns, plural, print, printJson, styled, table, UsageError, Work, type ExitCode } from './output.ts'
import { buildOf, worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'
import { searched } from './explore/searching.ts'

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

const MARKS = { caught: '✔', survived: '✘', unknown: '?' } as const
/** In the order in which they are told. */
const MET = ['caught', 'survived', 'unknown'] as const

function show({ title, profile, unfit, mutants, impossible }: Scored): void {
  print(`${styled('bold', title)}  ${styled('dim', `kernel profile ${profile}`)}`)
  if (unfit !== undefined) return print(`  ${unfit.why}. Mutants tell something only of what holds.`, '')
  const of = (fate: Fate): readonly Mutant[] => mutants.filter(mutant => mutant.fate === fate)
  const rows = MET.flatMap(fate =>
    of(fate).map(({ bug, by }) => [MARKS[fate], bug, fate, by?.property ?? '', `${by?.trail?.length ?? ''}`]),
  )
  if (rows.length > 0) for (const line of table([['', 'bug', '', 'by', 'steps'], ...rows])) print(line)
  for (const { bug } of of('survived')) tell(`${MARKS.survived} ${bug}: ${BUGS[bug].says}`)
  const left = of('unknown').length === 0 ? '' : `; of ${of('unknown').length} it is not known`
  print('', `${of('caught').length} of ${plural(rows.length, 'bug')} caught${left}.`)
  for (const [what, bugs] of [
    ['Change nothing that it does', of('not exercised')],
    [`Cannot be in ${profile}`, impossible],
  ] as const)
    if (bugs.length > 0) tell(`${what}: ${bugs.map(({ bug }) => bug).join(', ')}.`, line => styled('dim', line))
  print()
}

function tell(text: string, as: (line: string) => string = line => line): void {
  for (const line of wrapped(text, columns(), 0)) print(as(line))
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
