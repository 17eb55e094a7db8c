/** Recordings of real kernels, held to by a sample; and a comparison that finds every kind of difference. */
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { LEVELS, type Level } from '../../src/conformance/compare.ts'
import { conformProgram, Tallies } from '../../src/conformance/conform.ts'
import {
  BadRecording,
  familyOf,
  parseRecording,
  readRecording,
  recordingFiles,
  type Program,
  type Row,
  type Step,
} from '../../src/conformance/recording.ts'
import { ProgramRun } from '../../src/conformance/run.ts'

const fixtures = join(import.meta.dirname, '../fixtures/recordings')
const files = recordingFiles(fixtures)

test('there are recordings to be held to', () => {
  const programs = files.flatMap(readRecording)
  assert.ok(programs.length >= 5500)
  assert.equal([...new Set(programs.map(p => p.kernel))].toSorted(), ['4.14', '5.2', '6.1', '6.12', '7.1'])
})

/** `npm run conform` takes all of them; here, so many-th of each file. */
const SAMPLE = 5
for (const file of files) {
  test(`programs of ${file.slice(fixtures.length + 1)} conform at every level`, () => {
    for (const program of readRecording(file).filter((_, i) => i % SAMPLE === 0)) {
      const { failure, agreeing } = conformProgram(program)
      assert.equal(failure, undefined)
      assert.is(agreeing, program.steps.length)
    }
  })
}

const anon = readRecording(join(fixtures, 'linux-6.12/anon.jsonl.gz'))
const notifier = readRecording(join(fixtures, 'linux-6.12/notifier.jsonl.gz'))
const programs = [...anon, ...notifier]

/** The first program with a step that can be changed so, with that change made. */
function changed(change: (step: Step) => Step | undefined): { readonly program: Program; readonly at: number } {
  for (const program of programs) {
    for (const [at, step] of program.steps.entries()) {
      const other = change(step)
      if (other !== undefined) return { program: { ...program, steps: program.steps.with(at, other) }, at }
    }
  }
  throw new Error('no recorded step can be changed like this')
}
const res = (step: Step, fields: object): Step => ({ ...step, res: { ...step.res, ...fields } })
const obs = (step: Step, fields: object): Step => ({ ...step, obs: { ...step.obs, 0: { ev: [], pt: [], ...step.obs['0'], ...fields } } })
const told = ([first, count, level, , frames]: Row, what: string): Row =>
  frames === undefined ? [first, count, level, what] : [first, count, level, what, frames]
/** The first row with a letter, without it. */
const withoutLetter = (step: Step, letters: RegExp): Step | undefined => {
  const pt = step.obs['0']?.pt ?? []
  const at = pt.findIndex(row => letters.test(row[3]))
  const row = pt[at]
  return row === undefined ? undefined : obs(step, { pt: pt.with(at, told(row, row[3].replace(letters, '$1'))) })
}

const mutations: readonly (readonly [string, readonly Level[], (step: Step) => Step | undefined])[] = [
  ['another return value', ['result'], step => (typeof step.res['ret'] === 'number' ? res(step, { ret: 77 }) : undefined)],
  ['another error', ['result'], step => (step.res['err'] === 'EFAULT' ? res(step, { err: 'EPERM' }) : undefined)],
  [
    'another value read',
    ['result'],
    step => (step.op.startsWith('read ') && (step.res['val'] as unknown[]).length > 0 ? res(step, { val: [[1, 424242]] }) : undefined),
  ],
  ['another signal', ['result'], step => (step.res['sig'] === 'SEGV' ? res(step, { sig: 'BUS' }) : undefined)],
  ['a call that did not wait', ['result'], step => (step.res['blocks'] === true ? res(step, { blocks: undefined }) : undefined)],
  ['a waiter that was not resumed', ['result'], step => (step.res['resumed'] === undefined ? undefined : res(step, { resumed: [] }))],
  ['another sequence', ['result'], step => (typeof step.res['seq'] === 'number' ? res(step, { seq: 4242 }) : undefined)],
  [
    'other hmm_pfns',
    ['pfns'],
    step => (Array.isArray(step.res['pfns']) && step.res['pfns'].length > 0 ? res(step, { pfns: [[1, 'VWE', 0]] }) : undefined),
  ],
  ['an event less', ['events'], step => ((step.obs['0']?.ev.length ?? 0) > 1 ? obs(step, { ev: step.obs['0']?.ev.slice(1) }) : undefined)],
  ['an event more', ['events'], step => obs(step, { ev: [...(step.obs['0']?.ev ?? []), ['start', 'CLEAR', 0, 1, 1, 0]] })],
  ['an entry that is not writable', ['tables', 'bits'], step => withoutLetter(step, /(anon:)W/)],
  [
    'another frame',
    ['tables', 'bits'],
    step => {
      const pt = step.obs['0']?.pt ?? []
      const at = pt.findIndex(row => Array.isArray(row[4]))
      const row = pt[at]
      return row === undefined ? undefined : obs(step, { pt: pt.with(at, [row[0], row[1], row[2], row[3], [99]]) })
    },
  ],
  [
    'a row less',
    ['tables', 'bits'],
    step => ((step.obs['0']?.pt.length ?? 0) > 0 ? obs(step, { pt: step.obs['0']?.pt.slice(1) }) : undefined),
  ],
  ['an accessed bit less', ['bits'], step => withoutLetter(step, /(anon:[WD]*)A/)],
  ['a dirty bit less', ['bits'], step => withoutLetter(step, /(anon:W?)D/)],
  ['a page that is not exclusive', ['bits'], step => withoutLetter(step, /(anon:[WDAS]*)X/)],
]
for (const [what, levels, change] of mutations) {
  test(`finds ${what}`, () => {
    const { program, at } = changed(change)
    const { failure, agreeing, differing } = conformProgram(program)
    assert.equal([...differing], [...levels])
    assert.equal(
      [failure?.program, failure?.step, failure?.op, failure?.level, agreeing],
      [program.program, at, program.steps[at]?.op, levels[0], at],
    )
    assert.is.not(JSON.stringify(failure?.expected), JSON.stringify(failure?.got))
    const unseen = LEVELS.filter(l => !levels.includes(l))
    assert.is(conformProgram(program, unseen).failure, undefined)
  })
}

const program = (steps: readonly Step[], kernel = '6.12'): Program => ({ program: 'anon-x', kernel, steps })
const step = (op: string, more: Partial<Step> = {}): Step => ({
  op,
  res: { ret: 0 },
  obs: { 0: { ev: [], pt: [[0, 4, 0, 'none']] } },
  ...more,
})
const given: readonly (readonly [string, Program, RegExp])[] = [
  ['an op that the model does not know', program([step('mmap 0 4 anon rw p'), step('frobnicate 1 2')]), /does not know 'frobnicate' yet/],
  ['a word that it does not know', program([step('mmap 0 4 shm rw p')]), /does not know mappings of 'shm' yet; it knows anon/],
  ['a word that is no number', program([step('munmap 0 x')]), /expected a number as word 3, got 'x'/],
  ['a kernel without a profile', program([step('mmap 0 4 anon rw p')], '2.4'), /no profile for kernel 2\.4 yet/],
]
for (const [what, recorded, message] of given) {
  test(`${what}: counts as failing, with a message`, () => {
    const { failure, differing } = conformProgram(recorded)
    assert.match(String(failure?.got), message)
    assert.equal([...differing], [...LEVELS])
  })
}

test('a kernel that died: the model has to die there too', () => {
  const { failure, differing } = conformProgram(program([step('mmap 0 4 anon rw p', { oops: 'dmirror_do_read' })]))
  assert.equal([failure?.path, failure?.expected, failure?.got], ['oops', 'dmirror_do_read', undefined])
  assert.equal([...differing], ['result'])
})

test('sums: by kernel, by family, by level', () => {
  const tallies = new Tallies()
  const bad = changed(s => (s.res['ret'] === 0 && s.op.startsWith('munmap') ? res(s, { ret: 1 }) : undefined))
  for (const p of [anon[0] as Program, bad.program, notifier[0] as Program]) tallies.add(conformProgram(p))
  const { programs: n, conforming, steps, agreeing, byKernel, failures } = tallies.sums()
  assert.equal([n, conforming, failures.length], [3, 2, 1])
  assert.is(steps - agreeing, bad.program.steps.length - bad.at)
  const of = byKernel['6.12']
  assert.equal([of?.byLevel.result, of?.byLevel.bits, of?.byFamily['anon']?.programs, of?.byFamily['notifier']?.conforming], [2, 3, 2, 1])
  assert.is(familyOf(bad.program), 'anon')
})

const malformed: readonly (readonly [string, string, RegExp])[] = [
  ['what is not JSON', 'hello', /^r\.jsonl:1: not JSON \(.*\); expected a recorded program$/],
  ['other JSON', '[1,2]', /^r\.jsonl:1: expected \{"program": name, "kernel": version, "steps": \[…\]\}, got \[1,2\]/],
  [
    'steps that are none',
    '\n{"program":"a","kernel":"6.1","steps":[{"op":"x","res":{},"obs":{}},{"res":{}}]}',
    /^r\.jsonl:2: step 1: expected \{"op", "res", "obs"\} or/,
  ],
  [
    'a step without observations',
    '{"program":"a","kernel":"6.1","steps":[{"op":"x","res":{}}]}',
    /step 0 \(x\): expected "res" and "obs" to be objects/,
  ],
  [
    'observations without a table',
    '{"program":"a","kernel":"6.1","steps":[{"op":"x","res":{},"obs":{"0":{"ev":[]}}}]}',
    /expected "obs"\."0" to have "ev" and "pt"/,
  ],
  ['nothing at all', '\n\n', /^r\.jsonl: no program in it/],
]
for (const [what, text, message] of malformed) {
  test(`refuses ${what}`, () =>
    assert.throws(
      () => parseRecording(text, 'r.jsonl'),
      (e: unknown) => e instanceof BadRecording && message.test(e.message),
    ))
}

test('files that are not there, or hold no recordings', () => {
  assert.throws(() => recordingFiles('/nowhere'), /^\/nowhere: no such file or folder|\/nowhere: no such file or folder/)
  assert.throws(() => recordingFiles(import.meta.dirname), /no recordings in this folder/)
  assert.throws(() => readRecording(join(import.meta.dirname, 'conform.test.ts')), /expected a recorded program/)
})

test('a call in which the kernel dies: where is told, and nothing else', () => {
  const ops = ['file f0 dax 1024 hole', 'mmap 512 512 file rw s f0:0', 'write 512 8 200', 'mremap 512 512 1024 512']
  const run = new ProgramRun(ops, 'v4.14')
  const seen = ops.map(op => run.op(op))
  assert.equal(
    seen.map(({ oops }) => oops),
    [undefined, undefined, undefined, 'move_ptes'],
  )
  assert.equal(seen.at(-1)?.res, {})
})

test.run()
