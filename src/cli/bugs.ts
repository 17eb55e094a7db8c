/** `mirrorwalk bugs`: the museum. Each bug of a real kernel or driver with its story, an order of events that shows it, and the fix. */
import { readFileSync } from 'node:fs'
import type { Exploration } from '../explore/explore.ts'
import { subjectOf, type Exhibit } from '../scenario/exhibit.ts'
import type { Scenario } from '../scenario/api.ts'
import { wrapped } from '../inspect/wrap.ts'
import { asJson, commandFor, show, type Explored } from './explore/exploration.ts'
import { exploreOne } from './explore.ts'
import { columns, EXIT, plural, print, printJson, styled, table, UsageError, type ExitCode } from './output.ts'
import { ownScenario, ownScenarios } from './own-scenarios.ts'
import { worst } from './run.ts'
import { loadScenario } from './scenario-file.ts'

export interface BugsFlags {
  readonly explore?: boolean
  readonly timeout?: number
  readonly log?: string | boolean
  readonly json?: boolean
}

/** A scenario that shows a bug, and the file that it is in. */
interface Shown {
  readonly name: string
  readonly file: string
  readonly scenario: Scenario
  readonly exhibit: Exhibit
}

/** Both kernels of an exhibit, explored. */
interface Judged {
  readonly shown: Shown
  readonly wrong: Explored
  readonly right: Explored
  /** Whether it shows what it is about: something is violated with the bug, and nothing without it. */
  readonly verdict: Exploration['verdict']
}

const ROOM = 'races'
const sourceOf = ({ name }: Shown): string => `scenarios/${ROOM}/${name}.ts`

export async function bugsCommand(name: string | undefined, flags: BugsFlags): Promise<ExitCode> {
  const exhibits = await museum()
  if (name === undefined && flags.explore !== true) {
    if (flags.json === true) printJson({ bugs: exhibits.map(told) })
    else list(exhibits)
    return EXIT.holds
  }
  const all: Judged[] = []
  for (const shown of name === undefined ? exhibits : [named(exhibits, name)]) {
    const judged = await judge(shown, flags, name !== undefined && flags.json !== true)
    all.push(judged)
    if (judged.wrong.exploration.cut === 'interrupted' || judged.right.exploration.cut === 'interrupted') break
  }
  if (flags.json === true) printJson({ bugs: all.map(asObject) })
  else if (name === undefined) summary(all, exhibits.length)
  return worst(all.map(({ verdict }) => verdict))
}

async function museum(): Promise<readonly Shown[]> {
  const found: Shown[] = []
  for (const path of ownScenarios(ROOM)) {
    const file = ownScenario(path)
    const scenario = await loadScenario(file)
    const { exhibit } = scenario
    if (exhibit !== undefined) found.push({ name: path.slice(ROOM.length + 1), file, scenario, exhibit })
  }
  return found
}

/** By the exhibit's name, or that of the bug. */
function named(exhibits: readonly Shown[], name: string): Shown {
  const found = exhibits.find(shown => shown.name === name) ?? exhibits.find(({ exhibit }) => exhibit.of === name)
  if (found === undefined) throw new UsageError(`no exhibit '${name}'; there are ${exhibits.map(shown => shown.name).join(', ')}`)
  return found
}

/** Where it goes wrong, and where not: two kernels, or the first and the last variant on one. */
function sides({ exhibit: { wrong, right }, scenario: { variants } }: Shown): readonly [wrong: string, right: string] {
  return wrong === right ? [`${wrong} ${variants[0] ?? ''}`, `${right} ${variants.at(-1) ?? ''}`] : [wrong, right]
}

const told = (shown: Shown): object => ({
  name: shown.name,
  title: shown.scenario.title,
  of: typeof shown.exhibit.of === 'string' ? shown.exhibit.of : null,
  wrong: shown.exhibit.wrong,
  right: shown.exhibit.right,
  ...subjectOf(shown.exhibit),
  scenario: sourceOf(shown),
})

const INDENT = '  '

function list(exhibits: readonly Shown[]): void {
  for (const shown of exhibits) {
    const { source } = subjectOf(shown.exhibit)
    print(`${styled('bold', shown.name)}  ${styled('dim', sides(shown).join(' → '))}`)
    for (const line of wrapped(shown.scenario.title, columns() - INDENT.length, 0)) print(`${INDENT}${line}`)
    for (const line of wrapped(`(${source})`, columns() - INDENT.length, 0)) print(styled('dim', `${INDENT}${line}`))
  }
  print(
    '',
    `${plural(exhibits.length, 'bug')}, in scenarios/${ROOM}. mirrorwalk bugs NAME tells the story of one, and explores it with and without.`,
  )
}

/** What opens the file: what happened, who ended it, and how little it takes. */
function story({ file }: Shown): readonly string[] {
  const [, comment = ''] = /^\/\*\*([^]*?)\*\//.exec(readFileSync(file, 'utf8')) ?? []
  return comment
    .split(/^ \*\s*$/m)
    .map(paragraph =>
      paragraph
        .replaceAll(/^ \* ?/gm, '')
        .replaceAll(/\s+/g, ' ')
        .trim(),
    )
    .flatMap((paragraph, i) => [...(i === 0 ? [] : ['']), ...wrapped(paragraph, columns(), 0)])
}

/** Explores the kernel with the bug, and that without; tells all of it, if it is to. */
async function judge(shown: Shown, flags: BugsFlags, tells: boolean): Promise<Judged> {
  const { scenario, exhibit, file } = shown
  const explored = async (profile: string, variant: string, heading: string): Promise<Explored> => {
    const one = await exploreOne(file, scenario, profile, variant, flags)
    if (tells) {
      print(styled('bold', heading))
      show(one, verb => commandFor(verb, sourceOf(shown), profile, variant), flags)
    }
    return one
  }
  if (tells) for (const line of [...story(shown), '']) print(line)
  const { variants } = scenario
  const [wrongly, rightly] = sides(shown)
  const wrong = await explored(exhibit.wrong, variants[0] ?? '', `With the bug, ${wrongly}:`)
  const right = await explored(exhibit.right, variants.at(-1) ?? '', `Without it, ${rightly}:`)
  return { shown, wrong, right, verdict: verdictOn(wrong.exploration, right.exploration) }
}

/** What was found with the bug is found, whatever was left; without it, all has to be looked at. */
const verdictOn = (wrong: Exploration, right: Exploration): Exploration['verdict'] => {
  if (right.verdict === 'violated' || wrong.verdict === 'holds') return 'violated'
  return wrong.verdict === 'unknown' || right.verdict === 'unknown' ? 'unknown' : 'holds'
}

const MARKS = { holds: '✔', violated: '✘', unknown: '?' } as const
const steps = ({ witness }: Explored): string => (witness === undefined ? '–' : `${witness.steps}`)
const states = ({ exploration: { searched, complete } }: Explored): string => `${searched.states}${complete ? '' : '+'}`

function summary(all: readonly Judged[], exhibits: number): void {
  const head = ['', 'exhibit', 'with the bug', 'violated', 'steps', 'states', 'without', 'states']
  const rows = all.map(({ shown, wrong, right, verdict }) => [
    MARKS[verdict],
    shown.name,
    sides(shown)[0],
    wrong.witness?.found?.property ?? '–',
    steps(wrong),
    states(wrong),
    sides(shown)[1],
    states(right),
  ])
  for (const line of table([head, ...rows])) print(line)
  const shown = all.filter(({ verdict }) => verdict === 'holds').length
  print('', `${shown} of ${plural(exhibits, 'bug')} found with the bug, and not without, where everything that can happen was looked at.`)
}

const asObject = ({ shown, wrong, right, verdict }: Judged): object => ({
  ...told(shown),
  verdict,
  withBug: asJson(wrong),
  without: asJson(right),
})
