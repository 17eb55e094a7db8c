/** What comparing two runs has found, as lines of text. */
import type { Compared, Related } from '../inspect/diff/related.ts'
import { wordsAt, type Pair } from '../inspect/diff/runs.ts'
import { describeStep } from '../inspect/folded-step.ts'
import { partedSteps } from '../inspect/parting.ts'
import type { StepRecord } from '../log/records.ts'
import { plural, styled } from './output.ts'

type Names = readonly [string, string]

/** Actors that part, of whom it is told where. */
const TOLD = 5

/** `places`: where each actor begins to do something else is told, too. */
export function differenceLines({ sides, difference, apart }: Related, names: Names, places = true): readonly string[] {
  const { same, common, moved, verdicts, divergences, pair } = difference
  const place = (of: Compared, record: StepRecord | undefined): Place => ({ of, record, retraced: apart === undefined })
  if (same) return [`${styled('green', '✔')} The runs are the same: ${plural(common, 'step')}; ${elsewhere(moved)}.`]
  const [a, b] = sides
  const lengths = sides.map(({ steps }) => steps.length.toLocaleString('en')).join(' and ')
  return [
    `${styled('bold', 'The runs differ.')} ${plural(common, 'step')} of ${lengths} are common${divergences.length === 0 ? ', in another order' : ''}.`,
    ...(apart === undefined ? [] : [`No order of events need be the cause: ${apart}.`]),
    ...(verdicts ?? []).map(({ text }, i) => `  ${names[i]}: ${text}`),
    ...divergences.slice(0, places ? TOLD : 0).map(({ place: { by }, a: x, b: y }) => {
      const where = styled('bold', `step ${x?.n ?? '–'} of ${names[0]}, ${y?.n ?? '–'} of ${names[1]}`)
      return `  ${by} does the same up to ${where}: ${bothWords(place(a, x), place(b, y))}`
    }),
    ...(pair === null ? [] : ['', ...pairLines(pair, sides, names)]),
  ]
}

const elsewhere = (moved: number): string =>
  moved === 0
    ? 'step by step'
    : `${plural(moved, 'step')} ${moved === 1 ? 'stands' : 'stand'} elsewhere, but only among steps that are independent of ${moved === 1 ? 'it' : 'them'}`

function pairLines({ first, second, on, flips }: Pair, sides: readonly [Compared, Compared], names: Names): readonly string[] {
  const what =
    flips === true
      ? 'The order that flips the verdict'
      : flips === false
        ? 'The first order that differs (turned round alone, it does not flip the verdict)'
        : 'The first order that differs'
  const at = (i: 0 | 1, by: string, n: number | null): string =>
    n === null ? `${by} nothing more` : `${n} ${by} ${words(sides[i], sides[i].run.record(n))}`
  return [
    `${styled('bold', `${what}:`)} both are about ${subject(on)}`,
    `  ${names[0]}: ${at(0, first.by, first.a)}, then ${at(0, second.by, second.a)}`,
    `  ${names[1]}: ${at(1, second.by, second.b)}, then ${at(1, first.by, first.b)}`,
  ]
}

/** What two steps write, as a person would say it. */
function subject(on: string): string {
  const [name = '', part = ''] = on.split(' ')
  if (name === 'actor') return part
  if (part === '') return on === 'frames' ? 'page frames' : on
  return `${part === 'pte' ? 'page table entries' : part} of ${name}`
}

/** A step of a compared run, if it has one there; where nothing was changed by hand before it, it is decided again. */
interface Place {
  readonly of: Compared
  readonly record: StepRecord | undefined
  readonly retraced: boolean
}

function bothWords(a: Place, b: Place): string {
  const [x, y] = [a, b].map(({ of, record, retraced }) => words(of, record, retraced))
  if (x !== y || a.record === undefined || b.record === undefined) return `${x} / ${y}`
  const [one, other] = partedSteps(a.of.run, a.record.n, b.of.run, b.record.n)
  return `${x}, ${one} / ${other}`
}

function words({ run, ...of }: Compared, record: StepRecord | undefined, retraced = true): string {
  if (record === undefined) return 'nothing more'
  return retraced ? (wordsAt(run.system, of, record.n)?.text ?? record.do) : describeStep(run, record.n).text
}
