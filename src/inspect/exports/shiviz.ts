/**
 * A run as a ShiViz log: a host for each actor, and vector clocks by which an event follows from all that its actor, and
 * those it calls, have come from. ShiViz reads it by the expression in `SHIVIZ_REGEXP`.
 */
import { rolesOf, type Story } from './story.ts'

export const SHIVIZ_REGEXP = '(?<host>\\S+) (?<clock>\\{.*\\})\\n(?<event>.*)'

type Clock = Map<string, number>

export function shiviz(story: Story): string {
  const hosts = hostsOf(rolesOf(story))
  const clocks = new Map<string, Clock>([...hosts.values()].map(host => [host, new Map()]))
  const hostOf = (name: string): string => hosts.get(name) ?? name
  const clockOf = (name: string): Clock => clocks.get(name) ?? new Map<string, number>()
  const events: string[] = []
  const tell = (host: string, from: readonly Clock[], text: string): void => {
    const own = clockOf(host)
    for (const clock of from) for (const [name, n] of clock) own.set(name, Math.max(own.get(name) ?? 0, n))
    own.set(host, (own.get(host) ?? 0) + 1)
    events.push(`${host} ${JSON.stringify(Object.fromEntries(own))}\n${text.replaceAll(/[\r\n]/g, ' ')}`)
  }
  for (const { n, by: name, text, calls: all, do: what } of story.steps) {
    const by = hostOf(name)
    const calls = all.map(({ to, event }) => ({ to: hostOf(to), event }))
    tell(by, [], `${n} ${text === '' ? what : text}`)
    for (const { to, event } of calls) if (to !== by) tell(to, [clockOf(by)], `${n} ${event.type}`)
    const answered = calls.filter(c => c.to !== by).map(c => clockOf(c.to))
    if (answered.length > 0) tell(by, answered, `${n} answered`)
  }
  return `${SHIVIZ_REGEXP}\n\n${events.join('\n')}\n`
}

/** A host has no spaces in its name, and no two have one. */
function hostsOf(names: readonly string[]): ReadonlyMap<string, string> {
  const hosts = new Map<string, string>()
  const taken = new Set<string>()
  for (const name of names) {
    let host = name.replaceAll(/\s/g, '_')
    while (taken.has(host)) host += '_'
    taken.add(host)
    hosts.set(name, host)
  }
  return hosts
}
