/** Finding a scenario in a file of the user's. TypeScript is loaded through tsx, which is loaded only then. */
import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Scenario } from '../scenario/api.ts'
import { UsageError } from './output.ts'

const isScenario = (x: unknown): x is Scenario =>
  typeof x === 'object' &&
  x !== null &&
  typeof (x as Partial<Scenario>).build === 'function' &&
  typeof (x as Partial<Scenario>).title === 'string'

export async function loadScenario(file: string): Promise<Scenario> {
  const module = await loadFile(file)
  if (!isScenario(module.default)) {
    throw new UsageError(
      `${file}: its default export is no scenario. Expected: export default scenario('what it shows', ({ linux, expect }) => { … })`,
    )
  }
  return module.default
}

/** Loads a file of the user's, and with it what it defines. */
export async function loadFile(file: string): Promise<{ readonly default?: unknown }> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new UsageError(`${file}: no such file. Expected a scenario: a .ts or .js file whose default export is scenario(…).`)
  if (/\.[cm]?ts$/.test(path)) await loadTypeScript()
  try {
    return (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  } catch (error) {
    throw new UsageError(`${file}: cannot be loaded: ${whereAndWhat(error, path)}`)
  }
}

/** What `--load` names, before anything else is done. */
export async function loadFirst({ load }: { readonly load?: string }): Promise<void> {
  if (load !== undefined) await loadFile(load)
}

async function loadTypeScript(): Promise<void> {
  const { register } = await import('tsx/esm/api')
  register()
}

/** The message of an error, and the line of the user's file that it came from. */
export function whereAndWhat(error: unknown, path: string): string {
  if (!(error instanceof Error)) return String(error)
  const line = error.stack?.split('\n').find(l => l.includes(basename(path)))
  const place = line === undefined ? undefined : /:(\d+):\d+\)?$/.exec(line)?.[1]
  return place === undefined ? error.message : `${error.message} (line ${place})`
}
