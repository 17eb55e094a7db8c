/**
 * What exploring costs: the abstract mirror through the public API, beside Spin where it is installed; random schedules; the
 * real machines; and how long the command line takes to find seed 004.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explore, SCHEDULERS, threads, type Exploration } from 'mirrorwalk/explore'
import { modelOf, noStaleDeviceMapping, scenario } from '../../src/index.ts'
import { abstractMirror } from './abstract-mirror.ts'
import { busiestSeconds, thousands } from './measure.ts'
import { PROMELA } from './promela.ts'

type Line = (what: string, figure: string, ratio: string) => void

/** Seconds of CPU time; collecting garbage beside it counts, too. */
function timed<T>(run: () => T): readonly [result: T, seconds: number] {
  const before = process.cpuUsage()
  const result = run()
  const { user, system } = process.cpuUsage(before)
  return [result, (user + system) / 1e6]
}

const perState = ({ searched }: Exploration): string => `${((searched.bytes ?? 0) / searched.states).toFixed(1)} bytes a state`

function must(found: Exploration, states: number): void {
  if (found.verdict !== 'holds' || found.searched.states !== states)
    throw new Error(`expected ${states} states that hold, got ${found.searched.states}: ${found.verdict}`)
}

export async function exploreBench(line: Line): Promise<void> {
  explore(abstractMirror(2, 2, 2))
  const spin = spinRate()
  if (spin !== undefined) line('Spin, the abstract mirror (2 GPUs, 2 CPUs, 2 operations)', `${thousands(spin)} transitions/s`, '1')
  for (const [gpus, cpus, ops, states] of [
    [2, 2, 2, 147_896],
    [3, 2, 2, 10_330_254],
  ] as const) {
    const [found, seconds] = timed(() => explore(abstractMirror(gpus, cpus, ops)))
    must(found, states)
    const rate = found.searched.transitions / seconds
    const ratio = spin === undefined ? '' : `, ${(rate / spin).toFixed(2)} of Spin`
    line(
      `abstract mirror (${gpus}, ${cpus}, ${ops}), ${thousands(states)} states`,
      `${thousands(rate)} transitions/s`,
      `${perState(found)}${ratio}`,
    )
  }
  await sharedBench(line)
  const [orbits, seconds] = timed(() => explore(abstractMirror(3, 2, 2), { reduction: 'symmetry' }))
  must(orbits, 985_903)
  line('the same up to symmetry, 985,903 orbits', `${seconds.toFixed(1)} s`, perState(orbits))
  for (const scheduler of SCHEDULERS) {
    const runs = 50_000
    const [, drawn] = timed(() => explore(abstractMirror(2, 2, 1), { simulate: { scheduler, runs } }))
    line(`runs drawn at random (${scheduler})`, `${thousands(runs / drawn)} a second`, '')
  }
  const [real, took] = timed(() => explore(modelOf(dropping())))
  must(real, real.searched.states)
  line(
    `the real machines, 2 devices, 2 threads, 2 operations, ${thousands(real.searched.states)} states`,
    `${thousands(real.searched.transitions / took)} transitions/s`,
    `${perState(real)}, circles looked for; ${thousands(real.decided.rules)} rules asked, ${thousands(real.decided.steps)} steps decided, ${real.decided.memories} memories`,
  )
  const cold = coldStart()
  line('seed 004 on v5.2, found by the command line', `${cold.toFixed(2)} s of CPU time`, 'from a cold start')
}

/** The same with two workers: what the busier of them takes, beside what one takes alone. */
async function sharedBench(line: Line): Promise<void> {
  const alone = busiestSeconds(() => void explore(abstractMirror(3, 2, 2)))
  const port = await threads(2, {
    module: new URL('abstract-mirror.js', import.meta.url).href,
    export: abstractMirror.name,
    args: [3, 2, 2],
  })
  const both = busiestSeconds(() => must(explore(abstractMirror(3, 2, 2), { workers: port }), 10_330_254))
  await port.stop()
  line(
    'the same with two workers, CPU time of the busier one',
    `${both.toFixed(1)} s`,
    `${(alone / both).toFixed(2)} times as fast as one alone`,
  )
}

/** Two devices fault a page; two threads drop it, twice each. */
const dropping = (): ReturnType<ReturnType<typeof scenario>['build']> =>
  scenario('dropping', ({ linux, expect }) => {
    const m = linux('v6.12')
    const [a, b] = [m.thread(), m.thread()]
    const gpus = [m.device(), m.device()]
    const buf = a.mmap({ pages: 1 })
    a.write(buf, 42)
    m.race(...gpus.map(gpu => gpu.fault(buf)), ...[a, b].flatMap(cpu => [cpu.madvise(buf, 'dontneed'), cpu.madvise(buf, 'dontneed')]))
    expect.always('no stale device mapping', noStaleDeviceMapping)
  }).build()

function coldStart(): number {
  const root = join(import.meta.dirname, '../../..')
  const seed = join(root, 'dist/scenarios/seeds/004-stale-valid.js')
  const command = `exec "${process.execPath}" "${join(root, 'dist/src/cli/main.js')}" explore "${seed}" --profile v5.2 --no-log > /dev/null; `
  const times =
    spawnSync('sh', ['-c', `(${command}) ; times`], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
      .at(-1) ?? ''
  return [...times.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0)
}

/** Transitions a second of Spin on the same protocol, without its reduction; undefined where it is not installed. */
function spinRate(): number | undefined {
  if (spawnSync('spin', ['-V']).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-spin-'))
  const script = `cat > m.pml && spin -a m.pml && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m100000 -w22`
  const { stdout } = spawnSync('sh', ['-c', script], { cwd: folder, input: PROMELA, encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  const transitions = Number(/^ *(\d+) transitions/m.exec(stdout)?.[1] ?? 0)
  const seconds = Number(/elapsed time ([\d.]+) seconds/.exec(stdout)?.[1] ?? 0)
  return seconds > 0 ? transitions / seconds : undefined
}
