/** A run as lines of text: a lane for each actor that acts, a line a step. */
import type { Words } from './describe.ts'
import { wrapped } from './wrap.ts'

export interface TimelineStep extends Words {
  readonly n: number
  readonly by: string
  /** The step of another actor that this one had to wait for. */
  readonly after?: number
  /** Something that was found out at this step, told on a line of its own. */
  readonly alarm?: string
  /** In a narrow column before the lanes. */
  readonly margin?: Margin
}

export interface Margin {
  readonly text: string
  readonly style: 'dim' | 'yellow' | 'red'
}

export interface TimelineOptions {
  /** Columns of the terminal. */
  readonly width: number
  /** Text in a style, where there are any. */
  readonly styled?: (style: Margin['style'] | 'bold', text: string) => string
}

const plain = (_style: string, text: string): string => text

const LANE_MIN = 36
const GAP = 2

/** The lines of a timeline. Lanes stand side by side where they fit, else each line begins with its actor's name. */
export function timeline(steps: readonly TimelineStep[], { width, styled = plain }: TimelineOptions): readonly string[] {
  const actors = [...new Set(steps.map(s => s.by))]
  const digits = String(steps.at(-1)?.n ?? 0).length
  const margin = Math.max(0, ...steps.map(s => (s.margin?.text.length ?? -GAP) + GAP))
  const left = digits + GAP + margin
  const lane = Math.floor((width - left) / Math.max(actors.length, 1))
  const dim = (text: string): string => styled('dim', text)

  const sideBySide = lane >= LANE_MIN
  const name = Math.max(0, ...actors.map(a => a.length)) + GAP
  const indentOf = (by: string): number => left + (sideBySide ? actors.indexOf(by) * lane : name)
  const room = sideBySide ? lane - GAP : width - left - name
  const head = sideBySide
    ? [
        styled(
          'bold',
          ' '.repeat(left) +
            actors
              .map(a => a.padEnd(lane))
              .join('')
              .trimEnd(),
        ),
      ]
    : []

  return [
    ...head,
    ...steps.flatMap(step => {
      const text = step.after === undefined ? step.text : `${step.text} (had to wait for ${step.after})`
      const [first = '', ...more] = wrapped(text, room, GAP)
      const start = String(step.n).padStart(digits) + ' '.repeat(GAP)
      const beside = step.margin === undefined ? ' '.repeat(margin) : styled(step.margin.style, step.margin.text.padEnd(margin))
      const actor = sideBySide ? ' '.repeat(indentOf(step.by) - left) : step.by.padEnd(name)
      const style = step.quiet ? dim : (t: string): string => t
      const alarm =
        step.alarm === undefined ? [] : wrapped(`! ${step.alarm}`, width - left, GAP).map(t => styled('red', ' '.repeat(left) + t))
      return [dim(start) + beside + dim(actor) + style(first), ...more.map(t => ' '.repeat(indentOf(step.by) + GAP) + style(t)), ...alarm]
    }),
  ]
}
