/** `mirrorwalk profiles`: the kernels there are, and what differs between them. */
import { profiles, type Profile } from '../kernel/profiles.ts'
import { EXIT, print, printJson, styled, table, type ExitCode } from './output.ts'

export function profilesCommand({ json }: { readonly json?: boolean }): ExitCode {
  if (json === true) {
    printJson(profiles)
    return EXIT.holds
  }
  for (const { name, about } of profiles) print(`${styled('bold', name.padEnd(8))}${about}`)
  print()
  const switches = (Object.keys(profiles[0] ?? {}) as (keyof Profile)[]).filter(key => key !== 'name' && key !== 'about')
  const differing = switches.filter(key => new Set(profiles.map(p => p[key])).size > 1)
  for (const line of table([
    ['what differs', ...profiles.map(p => p.name)],
    ...differing.map(key => [key, ...profiles.map(p => String(p[key]))]),
  ]))
    print(line)
  return EXIT.holds
}
