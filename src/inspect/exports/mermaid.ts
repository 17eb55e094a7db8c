/**
 * A run as a Mermaid sequence diagram, which GitHub draws. A long one is folded: first what only prepares something, then
 * what one actor does by itself, then the middle.
 */
import { shown } from '../../log/unseen.ts'
import type { Retraced } from '../retrace.ts'
import { rolesOf, type Story } from './story.ts'

export interface MermaidOptions {
  /** Lines that a diagram may have. */
  readonly most?: number
}

const MOST = 120

export function mermaid(story: Story, { most = MOST }: MermaidOptions = {}): string {
  const roles = rolesOf(story)
  const id = (name: string): string => `a${roles.indexOf(name)}`
  const lines = folded(story.steps, id, most, [id(roles[0] ?? ''), id(roles.at(-1) ?? '')])
  return [
    'sequenceDiagram',
    `  %% ${plain(story.header.title)}, ${story.steps.length} steps`,
    ...roles.map(name => `  participant ${id(name)} as ${escape(name)}`),
    ...lines.map(line => `  ${line}`),
    '',
  ].join('\n')
}

type Lines = readonly string[]

function folded(steps: readonly Retraced[], id: (name: string) => string, most: number, [left, right]: readonly [string, string]): Lines {
  const all = steps.flatMap(step => linesOf(step, id))
  if (all.length <= most) return all
  const loud = steps.filter(step => !step.quiet)
  const few = loud.flatMap(step => linesOf(step, id))
  const quiet =
    loud.length === steps.length ? [] : [over(left, right, `${steps.length - loud.length} steps that only lock or prepare are left out`)]
  if (few.length + quiet.length <= most) return [...quiet, ...few]
  const groups = grouped(loud).flatMap(group => groupLines(group, id))
  const rows = over(left, right, `${loud.length} steps, those of one actor in a row as one`)
  if (groups.length + quiet.length < most) return [...quiet, rows, ...groups]
  const half = Math.max(1, (most >> 1) - 2)
  return [
    ...quiet,
    rows,
    ...groups.slice(0, half),
    over(left, right, `… ${groups.length - 2 * half} of ${groups.length} lines are folded …`),
    ...groups.slice(-half),
  ]
}

const over = (left: string, right: string, text: string): string => `Note over ${left}${left === right ? '' : `,${right}`}: ${escape(text)}`

function linesOf({ n, by, text, calls }: Retraced, id: (name: string) => string): Lines {
  const others = calls.filter(c => c.to !== by)
  const note = `Note over ${id(by)}: ${n} ${escape(text)}`
  return others.length === 0 ? [note] : [note, ...others.map(({ to, event }) => `${id(by)}->>${id(to)}: ${escape(event.type)}`)]
}

function grouped(steps: readonly Retraced[]): readonly (readonly Retraced[])[] {
  const groups: Retraced[][] = []
  for (const step of steps) {
    const last = groups.at(-1)
    if (last !== undefined && last[0]?.by === step.by) last.push(step)
    else groups.push([step])
  }
  return groups
}

function groupLines(group: readonly Retraced[], id: (name: string) => string): Lines {
  const [first, last] = [group[0], group.at(-1)]
  if (first === undefined || last === undefined) return []
  if (first === last) return linesOf(first, id)
  return [`Note over ${id(first.by)}: ${first.n}–${last.n} ${escape(first.text)} … ${escape(last.text)}`]
}

const plain = (text: string): string => text.replace(/[^\w .,:()-]/g, ' ')
const code = (char: string): string => `#${char.charCodeAt(0)};`

/** Mermaid's own signs as the codes that it has for them; `end` ends a block. */
const escape = (text: string): string =>
  shown(text === '' ? 'does nothing that shows' : text.length > 200 ? `${text.slice(0, 199)}…` : text, () => ' ')
    .replaceAll(/[#;<>{}"\\%\n]/g, code)
    .replaceAll(/\bend\b/gi, word => `${word.slice(0, 2)}${code(word[2] ?? '')}`)
