/** House rules, executed: imports point one way, files open with what they are for and stay short. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { MODEL_VERSION } from '../src/version.ts'

const root = join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name))

/** Each may import from those before it; those in one row are side by side. */
const LAYERS = [
  ['memory'],
  ['walker'],
  ['kernel'],
  ['system'],
  ['machines', 'oracles', 'log'],
  ['inspect', 'explore'],
  ['scenario'],
  ['conformance'],
  ['cli'],
]
const rankOf = (layer: string): number => LAYERS.findIndex(row => row.includes(layer))

/** `src/memory/table.ts` is in `memory`; `machines/range.ts` in `machines`; what stands in src itself in none. */
const layerOf = (file: string): string | undefined => {
  const [top, next, ...more] = file.split('/')
  if (top === 'machines') return 'machines'
  return top === 'src' && more.length > 0 ? next : undefined
}

const imports = (file: string): readonly string[] =>
  [...read(file).matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)].map(m => relative(root, resolve(root, dirname(file), m[1] ?? '')))

/** What is wrong with an import of `to` in `from`, if anything. */
function wrong(from: string, to: string): string | undefined {
  const [a, b] = [layerOf(from), layerOf(to)]
  if (a === undefined || b === undefined || a === b) return undefined
  const [x, y] = [rankOf(a), rankOf(b)]
  if (x < 0 || y < 0) return `${from}: ${x < 0 ? a : b} is no layer; add it to LAYERS`
  return y < x ? undefined : `${from} imports ${to}: ${a} may not know ${b}`
}

test('imports point one way', () => {
  const found = [...filesIn('src'), ...filesIn('machines')].flatMap(file => imports(file).flatMap(to => wrong(file, to) ?? []))
  assert.equal(found, [])
})

test('tests leave nothing to chance but by one seed', () => {
  const found = filesIn('test').filter(file => /^(import|export) .* from 'fast-check'/m.test(read(file)))
  assert.equal(found, ['test/chance.ts'])
})

test('a wrong import would be found', () => {
  assert.is(
    wrong('src/memory/table.ts', 'src/kernel/fault.ts'),
    'src/memory/table.ts imports src/kernel/fault.ts: memory may not know kernel',
  )
  assert.is(wrong('src/log/replay.ts', 'machines/range.ts'), 'src/log/replay.ts imports machines/range.ts: log may not know machines')
  assert.is(wrong('src/scenario/run.ts', 'src/log/replay.ts'), undefined)
})

test('xstate, RxJS and Immer are known where they belong', () => {
  const users = (name: string): readonly string[] => filesIn('src').filter(file => new RegExp(`from '${name}'`).test(read(file)))
  for (const file of users('xstate')) assert.match(file, /^src\/(system|scenario)\//)
  for (const file of users('rxjs')) assert.match(file, /^src\/(system|scenario|log)\//)
  for (const file of users('immer')) assert.match(file, /^src\/(memory|walker)\//)
})

test('the core has no clock, no randomness and no input or output', () => {
  const core = ['src/memory', 'src/walker', 'src/kernel', 'src/system', 'machines'].flatMap(filesIn)
  for (const file of core) assert.not.match(read(file), /Math\.random|Date\.|performance\.|process\.|node:fs|console\./, file)
})

test('every file says what it is for, and most are short', () => {
  const files = ['src', 'machines', 'scenarios', 'test'].flatMap(filesIn).filter(file => !file.includes('/traps/'))
  for (const file of files) {
    const text = read(file).replace(/^#!.*\n/, '')
    assert.ok(text.startsWith('/**'), `${file} does not open with what it is for`)
    assert.ok(text.split('\n').length <= 320, `${file} has ${text.split('\n').length} lines`)
  }
  const long = files.filter(file => read(file).split('\n').length > 300)
  assert.ok(long.length * 20 < files.length, `too many long files: ${long.join(', ')}`)
})

test('what is thrown is looked at: uvu takes a string there for a message, and any error for the right one', () => {
  const blind = /\bthrows\([^\n]*, (['"`])[^'"`\n]*\1\)$|\bthrows\(\n\s*\(\)[^\n]*,\n\s*['"`]/m
  for (const file of filesIn('test').filter(f => f !== 'test/house.test.ts')) assert.not.match(read(file), blind, file)
  assert.match("assert.throws(() => f(), 'plain data')", blind)
  assert.match("assert.throws(\n  () => f(),\n  'plain data',\n)", blind)
})

test('the lock file has the packages of every platform', () => {
  // An install on one platform can leave out those of the others; `npm ci` then refuses the lock file.
  interface Locked {
    readonly packages: Readonly<
      Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>>; readonly resolved?: string }>
    >
  }
  const { packages } = JSON.parse(read('package-lock.json')) as Locked
  const missing = Object.values(packages).flatMap(p =>
    Object.keys(p.optionalDependencies ?? {}).filter(name => packages[`node_modules/${name}`] === undefined),
  )
  assert.equal(missing, [])
  assert.equal(
    Object.values(packages).filter(p => p.resolved !== undefined),
    [],
    'no address of a registry',
  )
})

test('the version is that of the package', () => {
  assert.is(MODEL_VERSION, (JSON.parse(read('package.json')) as { readonly version: string }).version)
})

test.run()
