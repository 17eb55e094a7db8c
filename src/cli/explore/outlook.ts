/** The chances of an order of events as they are printed: a column of its timeline, the step of no return, and JSON. */
import { isNever, isSure, valueOf, type Chance } from '../../explore/answers/chances.ts'
import type { Outlook, Prospect } from '../../explore/answers/outlook.ts'
import type { Margin, TimelineStep } from '../../inspect/timeline.ts'

const MARKS = { avoidable: ' ', undecided: '?', doomed: '!' } as const
const STYLES = { avoidable: 'dim', undecided: 'yellow', doomed: 'red' } as const

/** Never rounded to 0 or 100 unless it is. */
export function percentOf(chance: Chance): string {
  if (isSure(chance)) return '100%'
  if (isNever(chance)) return '0%'
  const percent = valueOf(chance) * 100
  if (percent > 99.95) return '>99.9%'
  if (percent < 0.01) return '<0.01%'
  return `${typeof chance === 'number' ? '≈' : ''}${Number(percent.toPrecision(3))}%`
}

const textOf = ({ chance, label }: Prospect): string => `${percentOf(chance)} ${MARKS[label]}`.trimEnd()

/** The steps, each with its chance where that is another one than before. */
export function withChances(steps: readonly TimelineStep[], { prospects }: Outlook): readonly TimelineStep[] {
  let before = ''
  return steps.map((step, i) => {
    const prospect = prospects[i + 1]
    if (prospect === undefined) return step
    const text = textOf(prospect)
    if (text === before) return step
    before = text
    const margin: Margin = { text, style: STYLES[prospect.label] }
    return { ...step, margin }
  })
}

/** What the column means, and which step closed the last way out. */
export function outlookLines({ prospects, closed, instead }: Outlook, steps: readonly TimelineStep[]): readonly string[] {
  const labels = new Set(prospects.slice(1).map(p => p?.label))
  const first = prospects.findIndex(p => p !== undefined)
  const known = first <= 1 ? [] : [`Before step ${first} too much lies ahead to say.`]
  const legend = [
    'In the column: the chance that it comes to this, if each choice is equally likely.',
    ...(labels.has('undecided') ? ['?: no single choice avoids it any more, several may.'] : []),
    ...(labels.has('doomed') ? ['!: nothing can.'] : []),
    ...known,
  ].join(' ')
  if (closed === undefined) return labels.size === 1 && labels.has(undefined) ? [] : [legend]
  if (closed === 0) return [legend, 'It comes to this in every order of events.']
  const step = steps[closed - 1]
  const before = prospects[closed - 1]
  const others = instead.map(({ choice, do: what, chance }) => `${choice.by} (${what.replaceAll('_', ' ')}): ${percentOf(chance)}`)
  return [
    legend,
    `Step ${closed} closed the last way out (${step?.by ?? ''}: ${step?.text ?? ''}); before it the chance was ${before === undefined ? 'less' : percentOf(before.chance)}.${others.length === 0 ? '' : ` Instead, it could have been ${others.join(', or ')}.`}`,
  ]
}

const exactly = (chance: Chance): string | null => (typeof chance === 'number' ? null : `${chance.of}/${chance.in}`)

/** `exactly`: as a fraction; null: only as near as a number comes to it. */
export const outlookJson = ({ prospects, closed, instead }: Outlook): object => ({
  steps: prospects.map((prospect, step) =>
    prospect === undefined
      ? { step, label: null, chance: null, exactly: null }
      : { step, label: prospect.label, chance: valueOf(prospect.chance), exactly: exactly(prospect.chance) },
  ),
  closed: closed ?? null,
  instead: instead.map(({ choice, do: what, chance }) => ({ ...choice, do: what, chance: valueOf(chance), exactly: exactly(chance) })),
})
