/**
 * The strict test runner. uvu by itself exits 0 when `test.run()` is forgotten, when a `before` hook throws, when
 * nothing matches or when `test.only` is left in; so a file passes here only if it exits 0, has run at least one test,
 * and all of its tests ran and passed, within the time limit. One process a file, two at a time.
 *
 *   node … test/run.ts [part of a file's name …]
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'

const LIMIT_MS = 240_000
const root = join(import.meta.dirname, '..')

export interface Outcome {
  readonly file: string
  readonly passed: boolean
  readonly tests: number
  readonly ms: number
  /** Why it did not pass, in one line. */
  readonly why: string
  readonly output: string
}

/** Runs one test file in a process of its own. */
export function runFile(file: string, limit = LIMIT_MS, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const started = performance.now()
  return new Promise(resolve => {
    const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', file], {
      cwd: root,
      env: { ...process.env, ...env, FORCE_COLOR: '0' },
    })
    let output = ''
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, limit)
    child.stdout.on('data', chunk => (output += String(chunk)))
    child.stderr.on('data', chunk => (output += String(chunk)))
    child.on('close', code => {
      clearTimeout(timer)
      const { tests, why } = judge(output, code, late ? limit : undefined)
      resolve({ file: relative(root, file), passed: why === '', tests, ms: performance.now() - started, why, output })
    })
  })
}

/** Reads uvu's own summary; the last of each line counts, should a test print such a line itself. */
function judge(output: string, code: number | null, late: number | undefined): { readonly tests: number; readonly why: string } {
  const count = (label: string): number => Number([...output.matchAll(new RegExp(`^ {2}${label}:\\s+(\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0)
  const [total, passed, skipped] = [count('Total'), count('Passed'), count('Skipped')]
  const why =
    late !== undefined
      ? `not done after ${late / 1000} s`
      : code !== 0
        ? `exit code ${code}`
        : total === 0
          ? 'no test ran: is test.run() missing?'
          : passed !== total
            ? `${total - passed} of ${total} tests did not pass`
            : skipped > 0
              ? `${skipped} tests skipped: is a test.only or test.skip left in?`
              : ''
  return { tests: total, why }
}

export function testFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts'))
    .toSorted()
    .map(name => join(folder, name))
}

/** The test files with one of these in their names, or all; exits if there is none. `what`: which files it is that are looked among. */
export function chosen(parts: readonly string[], among: readonly string[], what: string): readonly string[] {
  const files = parts.length === 0 ? among : among.filter(file => parts.some(part => file.includes(part)))
  if (files.length === 0) {
    console.error(`no ${what} has a name with ${parts.map(p => `'${p}'`).join(' or ')} in it`)
    process.exit(3)
  }
  return files
}

/** Runs files, two at a time, and tells of each as it is done. */
export async function runAll(files: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<readonly Outcome[]> {
  const queue = [...files]
  const outcomes: Outcome[] = []
  await Promise.all(
    Array.from({ length: Math.max(2, availableParallelism()) }, async () => {
      for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
        const outcome = await runFile(file, LIMIT_MS, env)
        outcomes.push(outcome)
        console.log(`${outcome.passed ? 'ok  ' : 'FAIL'}  ${outcome.file}  ${outcome.tests} tests, ${(outcome.ms / 1000).toFixed(1)} s`)
        if (!outcome.passed) console.log(`      ${outcome.why}\n${outcome.output.trimEnd().replace(/^/gm, '      | ')}`)
      }
    }),
  )
  return outcomes
}

async function main(parts: readonly string[]): Promise<number> {
  const outcomes = await runAll(chosen(parts, testFiles(import.meta.dirname), 'test file'))
  const failed = outcomes.filter(o => !o.passed)
  const tests = outcomes.reduce((sum, o) => sum + o.tests, 0)
  console.log(`\n${outcomes.length - failed.length} of ${outcomes.length} files passed, ${tests} tests`)
  return failed.length === 0 ? 0 : 1
}

if (process.argv[1] === import.meta.filename) process.exitCode = await main(process.argv.slice(2))
