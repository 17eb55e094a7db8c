/** `mirrorwalk profiles`: the kernels there are, the matrix of their switches, and what changed between two of them. */
import { kernelNamed } from '../kernel/configuration.ts'
import { profileNames, profiles, type Profile } from '../kernel/profiles.ts'
import { changedBetween, inWords, SWITCHES, switchNames, type Setting, type SwitchName } from '../kernel/switches.ts'
import { wrapped } from '../inspect/wrap.ts'
import { columns, EXIT, plural, print, printJson, styled, UsageError, type ExitCode } from './output.ts'

export interface ProfilesFlags {
  readonly json?: boolean
}

const GAP = 2

export function profilesCommand(from: string | undefined, to: string | undefined, { json }: ProfilesFlags): ExitCode {
  if (from === undefined) {
    if (json === true) printJson({ profiles, switches: switchNames.map(name => ({ name, ...SWITCHES[name] })) })
    else for (const line of [...abouts(profiles, columns()), ...matrix(profiles, columns())]) print(line)
    return EXIT.holds
  }
  if (to === undefined) throw new UsageError(`one kernel has no differences: name two of ${profileNames.join(', ')}, or none`)
  const [a, b] = [named(from), named(to)]
  if (json === true) printJson({ from: a.name, to: b.name, changed: changes(a, b) })
  else showChanges(a, b)
  return EXIT.holds
}

function named(name: string): Profile {
  const kernel = kernelNamed(name)
  if (typeof kernel === 'string') throw new UsageError(kernel)
  return kernel
}

/** What a switch decides and since when, to stand below it. */
function sentence(name: SwitchName, width: number): readonly string[] {
  const { says, source } = SWITCHES[name]
  return wrapped(`${says} (${source})`, width - GAP, 0).map(line => styled('dim', `${' '.repeat(GAP)}${line}`))
}

/** The kernels in a line or more each. */
function abouts(all: readonly Profile[], width: number): readonly string[] {
  const indent = Math.max(...all.map(p => p.name.length)) + GAP
  return all.flatMap(({ name, about }) => {
    const [first = '', ...more] = wrapped(about, width - indent, 0)
    return [`${styled('bold', name.padEnd(indent))}${first}`, ...more.map(line => `${' '.repeat(indent)}${line}`)]
  })
}

/** A row a switch, a column a kernel. Kernels that do not fit beside the others have a matrix of their own below. */
export function matrix(all: readonly Profile[], width: number): readonly string[] {
  const labels = Math.max(...switchNames.map(name => name.length)) + GAP
  return sideBySide(all, width - labels).flatMap(group => {
    const row = (label: string, cell: (p: Profile) => string): string =>
      `${styled('bold', label.padEnd(labels))}${group.map(p => cell(p).padEnd(widthOf(p))).join('')}`.trimEnd()
    return ['', row('', p => p.name), ...switchNames.flatMap(name => [row(name, p => inWords(p[name])), ...sentence(name, width)])]
  })
}

const widthOf = (profile: Profile): number => Math.max(profile.name.length, ...switchNames.map(name => inWords(profile[name]).length)) + GAP

/** The kernels in groups, each of as many as there is room for. */
function sideBySide(all: readonly Profile[], room: number): readonly (readonly Profile[])[] {
  const groups: Profile[][] = []
  let left = 0
  for (const profile of all) {
    const width = widthOf(profile)
    if (groups.length === 0 || width - GAP > left) {
      groups.push([])
      left = room
    }
    groups.at(-1)?.push(profile)
    left -= width
  }
  return groups
}

interface Change {
  readonly name: SwitchName
  readonly from: Setting
  readonly to: Setting
  readonly source: string
  readonly says: string
}

const changes = (a: Profile, b: Profile): readonly Change[] =>
  changedBetween(a, b).map(name => {
    const { source, says } = SWITCHES[name]
    return { name, from: a[name], to: b[name], source, says }
  })

function showChanges(a: Profile, b: Profile): void {
  const changed = changes(a, b)
  for (const { name, from, to } of changed) {
    print(`${styled('bold', name)}: ${inWords(from)} → ${inWords(to)}`)
    for (const line of sentence(name, columns())) print(line)
  }
  if (changed.length > 0) print()
  print(`${plural(changed.length, 'switch', 'switches')} of ${switchNames.length} changed from ${a.name} to ${b.name}.`)
}
