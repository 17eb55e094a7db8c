/** Explorations that are shared out among workers tell what one worker tells, to the letter. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  explore,
  NotDeterministic,
  threads,
  Unsound,
  type Exploration,
  type ExploreOptions,
  type Model,
  type Port,
  type Property,
  type Recipe,
} from 'mirrorwalk/explore'
import { Partition } from '../../src/explore/workers/partition.ts'
import type { Result } from '../../src/explore/workers/port.ts'
import { modelOf, noStaleDeviceMapping, scenario } from '../../src/index.ts'
import { abstractMirror } from '../bench/abstract-mirror.ts'
import { coin } from '../chance.ts'
import { countOf, workers, type Program } from './toys.ts'

/** Everything that an exploration tells, but for the states themselves and what they take. */
function told({ searched, found, verdict, complete, cut, counted }: Exploration): string {
  const { states, transitions, depth, frontier } = searched
  return JSON.stringify({ states, transitions, depth, frontier, found, verdict, complete, cut, counted }, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}

/** Workers that are called: as little as can stand behind the port. */
function called<M, F>(make: () => Model<M, F>, count: number): Port {
  const partitions = Array.from({ length: count }, (_, worker) => new Partition(make(), worker, count))
  let results: Result[] = []
  return {
    workers: count,
    submit(worker, task) {
      const partition = partitions[worker]
      try {
        if (partition !== undefined) results.push({ worker, answer: partition.answer(task) })
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error))
        results.push({ worker, error: { name, message } })
      }
    },
    results() {
      // The last to be asked is the first to answer.
      const now = results.toReversed()
      results = []
      return now
    },
    stop: async () => {},
  }
}

function isTheSame<M, F>(make: () => Model<M, F>, options: ExploreOptions = {}): void {
  const alone = told(explore(make(), options))
  for (const count of [1, 2, 3]) assert.is(told(explore(make(), { ...options, workers: called(make, count) })), alone, String(count))
}

const PROGRAMS: readonly Program[] = [
  [
    ['add', 0],
    ['add', 1],
    ['add', 0],
  ],
  [
    ['set', 0],
    ['read', 1],
    ['take', 0],
    ['take', 1],
  ],
  [
    [
      ['add', 1],
      ['set', 1],
    ],
    ['take', 1],
    ['take', 0],
  ],
]
const never: Property<null> = { kind: 'always', name: 'never two', wrong: world => (countOf(world, 0) === 2 ? 'it is two' : undefined) }
const one: Property<null> = { kind: 'sometimes', name: 'one', holds: world => countOf(world, 0) === 1 && 'it is one' }
const reads: Property<null> = { kind: 'step', name: 'no reads', wrong: deed => (deed.do === 'read' ? 'somebody reads' : undefined) }

test('the same states, counts, verdicts and witnesses, however many there are, and wherever it stops', () => {
  const deadlock: Property<null> = { kind: 'deadlock', name: 'no deadlock' }
  const rest: Property<null> = { kind: 'finally', name: 'zero', holds: world => countOf(world, 0) === 0 }
  const livelock: Property<null> = { kind: 'livelock', name: 'no circles' }
  for (const properties of [[never], [one], [reads], [deadlock], [rest, livelock], [never, one, reads, deadlock]]) {
    isTheSame(() => workers(PROGRAMS, properties))
    for (const maxStates of [1, 2, 17, 60]) isTheSame(() => workers(PROGRAMS, properties), { maxStates })
  }
  for (const bug of [undefined, 'no retry'] as const) {
    isTheSame(() => abstractMirror(1, 2, 1, bug), { count: true })
    isTheSame(() => abstractMirror(2, 2, 1, bug))
    isTheSame(() => abstractMirror(2, 2, 1, bug), { maxStates: 3000 })
    isTheSame(() => abstractMirror(1, 2, 1, bug), { maxDepth: 9 })
  }
})

test('a scenario: memory, stages, sequences that are counted anew, and what never ends', () => {
  isTheSame(() =>
    modelOf(
      scenario('retrying', ({ linux, expect }) => {
        const m = linux('v5.2')
        const cpu = m.thread()
        const buf = cpu.mmap({ pages: 1 })
        m.race(m.device().fault(buf), cpu.write(buf, 1), cpu.madvise(buf, 'dontneed'))
        expect.always('no stale device mapping', noStaleDeviceMapping)
        expect.sometimes('mapped', view => view.maps('gpu0', buf))
      }).build(),
    ),
  )
})

const mirrors = (name: string, ...args: readonly unknown[]): Recipe => ({
  module: new URL('../bench/abstract-mirror.ts', import.meta.url).href,
  export: name,
  args,
})

test('threads', async () => {
  for (const bug of ['no retry', undefined] as const) {
    const port = await threads(2, mirrors('abstractMirror', 2, 2, 2, bug))
    try {
      assert.is(told(explore(abstractMirror(2, 2, 2, bug), { workers: port })), told(explore(abstractMirror(2, 2, 2, bug))))
    } finally {
      await port.stop()
    }
  }
})

test('what a worker cannot do, or does not do as it should, is told', async () => {
  const unlucky = (): Model<null, never> => workers(PROGRAMS, [{ ...never, wrong: () => (coin() ? 'bad luck' : undefined) }])
  const cheats = called(unlucky, 2)
  assert.throws(
    () => explore(workers(PROGRAMS, [{ ...never, wrong: () => undefined }]), { workers: cheats }),
    (error: unknown) => error instanceof NotDeterministic,
  )
  const fails = async (recipe: Recipe): Promise<string> =>
    threads(1, recipe).then(
      () => '',
      (error: unknown) => String(error),
    )
  assert.match(await fails(mirrors('nothing')), /exports no function 'nothing'/)
  assert.match(await fails({ ...mirrors(''), module: 'file:///no/where.js' }), 'Cannot find module')
  const others = called(() => abstractMirror(1, 2, 1), 2)
  assert.throws(() => explore(abstractMirror(1, 1, 1), { workers: others }), /another model/)
})

test('what only one worker can do is refused, with the reason', () => {
  const port = called(() => abstractMirror(1, 1, 1), 2)
  for (const [plan, why] of [
    [{ strategy: 'dfs' }, 'depth first'],
    [{ reduction: 'dpor' }, 'leaves out a step'],
    [{ reduction: 'symmetry' }, 'stands for the others'],
    [{ simulate: {} }, 'one sequence of numbers'],
    [{ pausing: true }, 'checkpoint'],
  ] as const)
    assert.throws(
      () => explore(abstractMirror(1, 1, 1), { ...plan, workers: port }),
      (error: unknown) => error instanceof Unsound && error.message.includes(why),
    )
})

test.run()
