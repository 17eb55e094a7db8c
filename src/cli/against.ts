/** `mirrorwalk run --kernel A --against B`: a scenario under two kernels, and the first step at which they part. */
import { describe } from '../inspect/describe.ts'
import { commonSteps, DEEDS, partingOf, sidesOf, toldOf, type DoneStep, type Parting, type Side } from '../inspect/parting.ts'
import { described } from '../inspect/steps.ts'
import { timeline } from '../inspect/timeline.ts'
import type { Scenario } from '../scenario/api.ts'
import type { Report } from '../scenario/run.ts'
import { profileOf } from '../scenario/standard.ts'
import { keptText } from './kept-log.ts'
import { columns, plural, print, printJson, styled, UsageError, Work, type ExitCode } from './output.ts'
import { againCommand, showEnd, showVerdicts, startRun, worst, type RunFlags, type Running } from './run.ts'
import { loadScenario } from './scenario-file.ts'

/** Steps in common that are printed, before the two part. */
const BEFORE = 4

/** Where the two part, and the steps just before, which they have in common. */
interface Found {
  readonly before: readonly DoneStep[]
  readonly common: number
  readonly parting: Parting<DoneStep>
}

interface Compared {
  readonly variant: string
  readonly reports: readonly [Report, Report]
  readonly logs: readonly [string | null, string | null]
  /** As of each `Ran`. */
  readonly kept: readonly [string | undefined, string | undefined]
  /** Where they part in anything, and where in what is done, if that is later. */
  readonly found: { readonly first?: Found; readonly deed?: Found }
}

export async function againstCommand(file: string, flags: RunFlags, against: string): Promise<ExitCode> {
  const { profile } = flags
  if (profile === undefined) throw new UsageError(`--against ${against} compares two kernels: name the other with --kernel`)
  if (profileOf(profile).name === profileOf(against).name) throw new UsageError(`--against ${against}: that is the same kernel`)
  if (typeof flags.log === 'string')
    throw new UsageError('--log names one file, and --against makes two runs: leave it out, or use --no-log')
  if (flags.timeline === 'all') throw new UsageError('--against prints no timelines: run each kernel alone for that')
  const scenario = await loadScenario(file)
  const compared: Compared[] = []
  for (const variant of flags.variant === undefined ? scenario.variants : [flags.variant]) {
    const asked = { ...flags, variant }
    const now = await compare(file, scenario, [profile, against], asked)
    compared.push(now)
    if (flags.json !== true) show(now, [profile, against], `${againCommand(file, profile, asked)} --against ${against}`)
  }
  if (flags.json === true) printJson({ scenario: scenario.title, kernels: [profile, against], compared: compared.map(asJson) })
  return worst(compared.flatMap(({ reports }) => reports.map(r => r.verdict)))
}

/** The steps of a run that have not been compared yet. */
function ahead({ run }: Running): DoneStep[] {
  const steps: DoneStep[] = []
  run.entries$.subscribe(entry => void steps.push({ n: entry.n, by: entry.choice.by, ...described(entry) }))
  return steps
}

/** What two runs have in common, followed while they go on. It is forgotten, but for the last steps. */
class Following {
  found: Compared['found'] = {}
  readonly #a: DoneStep[]
  readonly #b: DoneStep[]
  #before: readonly DoneStep[] = []
  #common = 0

  constructor(a: Running, b: Running) {
    this.#a = ahead(a)
    this.#b = ahead(b)
  }

  /** Compares what has come; `over`: no more will. */
  follow(over: boolean): void {
    const { first, deed } = this.found
    if (first === undefined) {
      const found = this.#part(over, undefined)
      if (found === undefined) return
      this.found = { first: found }
      if (!isDeed(found)) this.follow(over)
    } else if (deed === undefined && !isDeed(first)) {
      const found = this.#part(over, DEEDS)
      if (found !== undefined) this.found = { first, deed: found }
    } else {
      this.#a.length = 0
      this.#b.length = 0
    }
  }

  #part(over: boolean, aspects: typeof DEEDS | undefined): Found | undefined {
    const n = commonSteps(this.#a, this.#b, aspects)
    this.#before = [...this.#before, ...this.#a.splice(0, n)].slice(-BEFORE)
    this.#b.splice(0, n)
    this.#common += n
    const known = over || (this.#a.length > 0 && this.#b.length > 0)
    const parting = known ? partingOf(this.#a, this.#b, aspects) : undefined
    return parting && { before: this.#before, common: this.#common, parting }
  }
}

const isDeed = ({ parting }: Found): boolean => parting.differsIn.some(aspect => DEEDS.includes(aspect))

/** Runs both, side by side. */
async function compare(file: string, scenario: Scenario, kernels: readonly [string, string], flags: RunFlags): Promise<Compared> {
  const work = new Work()
  const [a, b] = [startRun(file, scenario, kernels[0], flags), startRun(file, scenario, kernels[1], flags)]
  const following = new Following(a, b)
  let [ofA, ofB]: (Report | undefined)[] = []
  while (ofA === undefined || ofB === undefined) {
    await work.breathe(() => `${scenario.title}: ${plural(a.run.live.n, 'step')} and ${plural(b.run.live.n, 'step')}`)
    ofA ??= work.stopped ? a.stop() : a.advance()
    ofB ??= work.stopped ? b.stop() : b.advance()
    following.follow(ofA !== undefined && ofB !== undefined)
  }
  work.end()
  return { variant: flags.variant ?? '', reports: [ofA, ofB], logs: [a.log, b.log], kept: [a.kept, b.kept], found: following.found }
}

function asJson({ variant, reports, logs, found: { first, deed } }: Compared): object {
  const side = (step: DoneStep | undefined): object | null =>
    step === undefined
      ? null
      : { n: step.n, by: step.by, do: step.do, text: describe(step).text, calls: step.calls, told: toldOf(step), facts: step.facts }
  const part = (found: Found | undefined): object | null =>
    found === undefined
      ? null
      : {
          common: found.common,
          before: found.before.map(side),
          differsIn: found.parting.differsIn,
          sides: found.parting.sides.map(side),
        }
  const runs = reports.map((report, i) => ({ ...report, log: logs[i] }))
  return { variant, runs, parting: part(first), deed: part(deed) }
}

/** Verdicts of both, and where they part. */
function show({ reports, logs, kept, found: { first, deed } }: Compared, kernels: readonly [string, string], again: string): void {
  for (const [i, report] of reports.entries()) {
    showVerdicts(report)
    showEnd(report, logs[i] ?? null)
    const before = kept[i]
    if (before !== undefined) print(keptText(before))
    print()
  }
  if (first === undefined) print(`Both do the same, with the same facts, in ${plural(reports[0].steps, 'step')}.`)
  else showFound('They part', first, kernels)
  if (deed !== undefined) {
    print()
    showFound('What they do is the same for longer. There they part', deed, kernels)
  } else if (first !== undefined && !isDeed(first)) print('', 'What they do is the same to the end.')
  print()
  print(styled('dim', `what differs: npx mirrorwalk profiles ${kernels.join(' ')}`))
  print(styled('dim', `again: ${again}`))
  print()
}

function showFound(what: string, { before, common, parting }: Found, kernels: readonly [string, string]): void {
  print(styled('bold', `${what} at step ${common + 1}, after ${plural(common, 'step')} in common:`))
  const lines = before.map(step => ({ n: step.n, by: step.by, ...describe(step) }))
  for (const line of timeline(lines, { width: columns(), styled })) print(line)
  const sides = sidesOf(parting)
  print()
  for (const [i, side] of sides.entries()) showSide(kernels[i] ?? '', side)
  if (parting.differsIn.includes('facts') && sides.every(side => side?.only.length === 0)) print('    the same facts, in another order')
}

function showSide(kernel: string, side: Side | null): void {
  if (side === null) {
    print(`${styled('bold', kernel)} is over`)
    return
  }
  print(`${styled('bold', kernel)}  ${side.by} ${side.text}`)
  for (const line of side.only) print(`    only here: ${short(line)}`)
  if (side.shared > 0) print(styled('dim', `    and ${plural(side.shared, 'fact')} that both have`))
}

const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 157)}…` : text)
