/** What tests of the command line share: a folder to work in, and a way to run it: compiled (`npm test` sees to that), as users have it. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type Test } from 'uvu'

export const root = join(import.meta.dirname, '../..')
export const stale = join(root, 'scenarios/seeds/004-stale-valid.ts')

export interface Done {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

interface Folder {
  folder: string
}

/** Tests of the command line, with a folder to work in: as a project that has installed it. */
export function cliSuite(name: string): Test<Folder> {
  const test = suite<Folder>(name, { folder: '' })
  test.before(context => {
    context.folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-'))
    mkdirSync(join(context.folder, 'node_modules'))
    symlinkSync(root, join(context.folder, 'node_modules/mirrorwalk'))
  })
  test.after(({ folder }) => rmSync(folder, { recursive: true }))
  return test
}

/** Runs a TypeScript file in a folder, as a project that has installed it would. */
export const node = (folder: string, file: string): Promise<Done> =>
  started(folder, ['--import', join(root, 'node_modules/tsx/dist/esm/index.mjs'), file])

/** Runs the command line in a folder; once `stop`, which is told what was printed, says so, it gets a Ctrl-C; `reads`: whether anybody reads what it prints. */
export const cli = (folder: string, args: readonly string[], stop?: (out: string) => boolean, reads = true): Promise<Done> =>
  started(folder, [join(root, 'dist/src/cli/main.js'), ...args], stop, reads)

/** The same where lines may be so wide. */
export const cliOf = (columns: number, folder: string, args: readonly string[]): Promise<Done> =>
  started(folder, [join(root, 'dist/src/cli/main.js'), ...args], undefined, true, String(columns))

function started(folder: string, args: readonly string[], stop?: (out: string) => boolean, reads = true, columns = ''): Promise<Done> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, NO_COLOR: '1', COLUMNS: columns },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => (out += String(chunk)))
    if (!reads) child.stdout.destroy()
    child.stderr.on('data', chunk => (err += String(chunk)))
    const poll = setInterval(() => {
      if (stop?.(out) !== true) return
      clearInterval(poll)
      child.kill('SIGINT')
    }, 20)
    child.on('close', code => {
      clearInterval(poll)
      resolve({ code, out, err })
    })
  })
}
