/** Searches that are paused, written down, and gone on with by somebody who knows nothing else of them. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { explore, type Exploration, type ExploreOptions, type Model } from 'mirrorwalk/explore'
import { decoded, encoded, type Identity, type Source } from '../../src/explore/strategies/checkpoint.ts'
import { BadCheckpoint, type Paused } from '../../src/explore/strategies/paused.ts'
import { modelOf, noStaleDeviceMapping, scenario } from '../../src/index.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { countOf, workers } from './toys.ts'

const OF: Identity = { what: 'a test' }

/** Everything that an exploration tells, but for the states themselves. */
const told = ({ searched: { rows, pause: _, ...numbers }, ...rest }: Exploration): string =>
  JSON.stringify({ ...rest, numbers, rows: rows?.size }, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

function sourceOf(bytes: Buffer): Source {
  let at = 0
  return {
    line() {
      const end = bytes.indexOf('\n', at)
      const text = bytes.toString('utf8', at, Math.max(end, at))
      at = end + 1
      return text
    },
    fill(part) {
      if (at + part.length > bytes.length) throw new BadCheckpoint('too short')
      part.set(bytes.subarray(at, (at += part.length)))
    },
  }
}

const namesOf = <M, F>({ system }: Model<M, F>): readonly string[] => system.actors.map(a => a.name)
const written = <M, F>(model: Model<M, F>, { searched }: Exploration): Buffer =>
  Buffer.concat([...encoded(OF, namesOf(model), searched.pause?.() as Paused)])

/** In pieces: each ends once there are so many states, and each begins with a model of its own. */
function inPieces<M, F>(make: () => Model<M, F>, sizes: readonly number[], options: ExploreOptions): Exploration {
  let from: Paused | undefined
  for (const maxStates of sizes) {
    const model = make()
    const piece = explore(model, { ...options, pausing: true, maxStates, from })
    if (piece.cut === undefined) return piece
    from = decoded(OF, namesOf(model), sourceOf(written(model, piece)))
  }
  return explore(make(), { ...options, from })
}

/** Retry loops on a kernel: sequences that are counted anew, memory, and a stage after the other. */
const retrying = () =>
  modelOf(
    scenario('retrying', ({ linux, expect }) => {
      const m = linux('v6.12')
      const cpu = m.thread()
      const buf = cpu.mmap({ pages: 1 })
      m.race(m.device().fault(buf), cpu.write(buf, 1), cpu.madvise(buf, 'dontneed'))
      expect.always('no stale device mapping', noStaleDeviceMapping)
      expect.sometimes('mapped', view => view.maps('gpu0', buf))
    }).build(),
  )

test('wherever a search is cut, it goes on as if it had not been: the same counts, verdicts, witness and decisions', () => {
  const two = () =>
    workers(
      [
        [
          ['add', 0],
          ['add', 1],
          ['add', 0],
        ],
        [
          ['set', 0],
          ['read', 1],
        ],
        [
          ['take', 0],
          ['take', 1],
        ],
        [
          ['take', 1],
          ['take', 0],
        ],
      ],
      [
        { kind: 'deadlock', name: 'no deadlock' },
        { kind: 'sometimes', name: 'one', holds: world => countOf(world, 0) === 1 && 'it is one' },
        { kind: 'always', name: 'never two', wrong: world => (countOf(world, 0) === 2 ? 'it is two' : undefined) },
      ],
    )
  const systems: readonly (() => Model<never, never>)[] = [
    two,
    () => abstractMirror(1, 2, 1),
    () => abstractMirror(2, 2, 1, 'no retry'),
    retrying,
  ] as unknown as readonly (() => Model<never, never>)[]
  for (const make of systems) {
    for (const strategy of ['bfs', 'dfs'] as const) {
      const whole = told(explore(make(), { strategy }))
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 4 }), sizes => {
          const order = sizes.toSorted((a, b) => a - b)
          assert.is(told(inPieces(make, order, { strategy })), whole)
        }),
        { numRuns: 12 },
      )
    }
  }
})

test('a search that was cut at a depth goes on beyond it', () => {
  const make = () => abstractMirror(1, 2, 1)
  const shallow = explore(make(), { maxDepth: 7, pausing: true })
  assert.is(shallow.cut, 'max depth')
  const from = decoded(OF, namesOf(make()), sourceOf(written(make(), shallow)))
  assert.is(told(explore(make(), { from })), told(explore(make())))
})

test('what was changed, cut off, or is of something else is refused', () => {
  const model = abstractMirror(1, 1, 1)
  const bytes = written(model, explore(model, { maxStates: 20, pausing: true }))
  const read = (changed: Buffer, of = OF): Paused => decoded(of, namesOf(model), sourceOf(changed))
  assert.ok(read(bytes).rows.size >= 20)
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] as number) ^ by
      assert.throws(
        () => read(changed),
        (error: unknown) => error instanceof BadCheckpoint,
      )
      assert.throws(
        () => read(bytes.subarray(0, at)),
        (error: unknown) => error instanceof BadCheckpoint,
      )
    }),
  )
  assert.throws(() => read(bytes, { what: 'another' }), /it is of what a test; what is to be explored is of what another/)
  assert.throws(
    () => explore(abstractMirror(1, 2, 1), { from: read(bytes) }),
    (error: unknown) => error instanceof BadCheckpoint,
  )
})

test('a search without a set of states to go on from says why it cannot be paused', () => {
  for (const [plan, why] of [
    [{ reduction: 'sleep' }, /on its way/],
    [{ reduction: 'dpor' }, /on its way/],
    [{ reduction: 'cache' }, /on its way/],
    [{ reduction: 'symmetry' }, /stands for the others/],
    [{ simulate: {} }, /another seed/],
  ] as const)
    assert.throws(() => explore(abstractMirror(1, 1, 1), { ...plan, pausing: true }), why)
})

test.run()
