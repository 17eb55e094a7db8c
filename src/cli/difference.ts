/** What comparing two runs has found, as lines of text. */
import type { Compared, Related } from '../inspect/diff/related.ts'
import { wordsAt, type Pair } from '../inspect/diff/runs.ts'
import type { StepRecord } from '../log/records.ts'
import { plural, styled } from './output.ts'

type Names = readonly [string, string]

/** Actors that part, of whom it is told where. */
const TOLD = 5

export function differenceLines({ sides, difference, apart }: Related, names: Names): readonly string[] {
  const { same, common, moved, verdicts, divergences, pair } = difference
  if (same) return [`${styled('green', '✔')} The runs are the same: ${plural(common, 'step')}; ${elsewhere(moved)}.`]
  const [a, b] = sides
  const lengths = sides.map(({ steps }) => steps.length.toLocaleString('en')).join(' and ')
  return [
    `${styled('bold', 'The runs differ.')} ${plural(common, 'step')} of ${lengths} are common${divergences.length === 0 ? ', in another order' : ''}.`,
    ...(apart === undefined ? [] : [`No order of events need be the cause: ${apart}.`]),
    ...(verdicts ?? []).map(({ text }, i) => `  ${names[i]}: ${text}`),
    ...divergences.slice(0, TOLD).map(({ place: { by }, a: x, b: y }) => {
      const where = styled('bold', `step ${x?.n ?? '–'} of ${names[0]}, ${y?.n ?? '–'} of ${names[1]}`)
      return `  ${by} does the same up to ${where}: ${words(a, x)} / ${words(b, y)}`
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

function words(of: Compared, record: StepRecord | undefined): string {
  if (record === undefined) return 'nothing more'
  return wordsAt(of.run.system, of, record.n)?.text ?? record.do
}
