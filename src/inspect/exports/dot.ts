/** DOT graphs: of a run, its steps by actor with what each follows from; of a system, its machines. */
import { shown } from '../../log/unseen.ts'
import { rolesOf, type Story } from './story.ts'
import type { LinuxSystem } from '../linux.ts'

const quoted = (text: string): string =>
  `"${shown(text, () => ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', ' ')}"`
const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 59)}…` : text)

/** Nodes of one chain: readers of DOT take no longer ones. */
const CHAIN = 500
function* chains(nodes: readonly string[]): Generator<string> {
  for (let at = 0; at < nodes.length - 1; at += CHAIN) yield `    ${nodes.slice(at, at + CHAIN + 1).join(' -> ')};`
}

/** A cluster for each actor; arrows for the order of its own steps, dashed ones from causes. */
export function dotOfRun(story: Story): string {
  const { header, steps } = story
  const clusters = rolesOf(story).flatMap((name, i) => {
    const own = steps.filter(step => step.by === name)
    if (own.length === 0) return []
    return [
      `  subgraph cluster_${i} {`,
      `    label=${quoted(name)};`,
      ...own.map(
        ({ n, text, do: what, quiet }) =>
          `    s${n} [label=${quoted(`${n} ${clip(text === '' ? what : text)}`)}${quiet ? ', fontcolor=gray' : ''}];`,
      ),
      ...chains(own.map(step => `s${step.n}`)),
      '  }',
    ]
  })
  const byNumber = new Map(steps.map(step => [step.n, step.by]))
  const causes = steps.flatMap(({ n, by, cause }) => {
    const from = byNumber.get(cause)
    return from === undefined || from === by ? [] : [`  s${cause} -> s${n} [style=dashed, constraint=false];`]
  })
  return [
    `digraph run {`,
    `  label=${quoted(header.title)};`,
    '  rankdir=TB;',
    '  node [shape=box, fontname=monospace];',
    ...clusters,
    ...causes,
    '}',
    '',
  ].join('\n')
}

/** A cluster for each machine that the system has, with the actors that are of it. */
export function dotOfMachines(system: LinuxSystem): string {
  const actors = new Map<unknown, string[]>()
  for (const { name, kind } of system.actors) actors.set(kind.machine, [...(actors.get(kind.machine) ?? []), name])
  const machines = [...new Set(system.actors.map(a => a.kind.machine))]
  const clusters = machines.flatMap((machine, i) => {
    const states = Object.values(machine.root.states)
    const id = (key: string): string => quoted(`${i}.${key}`)
    const edges = states.flatMap(state =>
      [...state.transitions].flatMap(([event, transitions]) =>
        transitions.map(t => {
          const guard = typeof t.guard === 'string' ? ` [${t.guard}]` : ''
          return `    ${id(state.key)} -> ${id(t.target?.[0]?.key ?? state.key)} [label=${quoted(`${event}${guard}`)}];`
        }),
      ),
    )
    const initial = machine.root.initial.target[0]?.key
    return [
      `  subgraph cluster_${i} {`,
      `    label=${quoted(`${machine.id}: ${(actors.get(machine) ?? []).join(', ')}`)};`,
      ...states.map(state => {
        const does = typeof state.meta?.does === 'string' && state.meta.does !== state.key ? `\n${state.meta.does}` : ''
        return `    ${id(state.key)} [label=${quoted(`${state.key}${does}`)}${state.key === initial ? ', style=bold' : ''}];`
      }),
      ...new Set(edges),
      '  }',
    ]
  })
  return [
    'digraph machines {',
    '  node [shape=box, style=rounded, fontname=monospace];',
    '  edge [fontname=monospace, fontsize=10];',
    ...clusters,
    '}',
    '',
  ].join('\n')
}
