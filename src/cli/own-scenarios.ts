/** The scenarios that come with this package, by what they are called in the checkout: `races/fault-against-munmap`. */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Compiled scenarios, which load at once, or their sources. */
const SCENARIO = /(?<!\.d)\.[jt]s$/

/** The folder that they are in, beside this file or above it. */
function home(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'scenarios'))) return relative(process.cwd(), join(folder, 'scenarios'))
  }
  throw new Error('the scenarios are not part of this package')
}

/** All of one folder, by name. */
export const ownScenarios = (folder: string): readonly string[] =>
  readdirSync(join(home(), folder))
    .filter(file => SCENARIO.test(file))
    .map(file => `${folder}/${file.replace(SCENARIO, '')}`)
    .toSorted()

/** The file of one. */
export function ownScenario(name: string): string {
  const file = ['.js', '.ts'].map(end => join(home(), `${name}${end}`)).find(path => existsSync(path))
  if (file === undefined) throw new Error(`scenario ${name} is not part of this package`)
  return file
}
