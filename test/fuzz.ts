/**
 * The tests that ask for random values, again and again with fresh seeds, until Ctrl-C or so many rounds: what the one seed
 * of `npm test` does not come upon. Each failure says the seed that shows it again.
 *
 *   node … test/fuzz.ts [rounds] [part of a file's name …]
 */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chosen, runAll, testFiles } from './run.ts'

const asks = (file: string): boolean => readFileSync(file, 'utf8').includes("/chance.ts'")

async function main([first = '', ...rest]: readonly string[]): Promise<number> {
  const [rounds, parts] = /^\d+$/.test(first) ? [Number(first), rest] : [Infinity, first === '' ? [] : [first, ...rest]]
  const files = chosen(parts, testFiles(import.meta.dirname).filter(asks), 'test file that asks for random values')
  let failed = 0
  let round = 0
  const told = (): string => `rounds: ${round}, files in each: ${files.length}, failures: ${failed}`
  process.once('SIGINT', () => {
    console.log(`stopped: ${told()}`)
    process.exit(failed === 0 ? 130 : 1)
  })
  while (round < rounds) {
    const seed = String(randomInt(1_000_000_000))
    console.log(`round ${++round}: SEED=${seed}`)
    const outcomes = await runAll(files, { SEED: seed })
    failed += outcomes.filter(o => !o.passed).length
  }
  console.log(told())
  return failed === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
