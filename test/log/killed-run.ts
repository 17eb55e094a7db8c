/** A long run that a test kills: it writes its log, and, in a file of its own, how many steps it has taken. */
import { openSync, writeSync } from 'node:fs'
import { LogWriter } from '../../src/log/writer.ts'
import { prepare } from '../../src/scenario/run.ts'
import { long } from './long.ts'

const [log = '', count = '', sync = ''] = process.argv.slice(2)
const built = long.build('v6.12')
const run = prepare(built, { seed: 5 })
const [fd, counter] = [openSync(log, 'w'), openSync(count, 'w')]
const header = { model: 'test', system: built.system, chooser: 'random', seed: 5, title: built.title, plan: built.plan }
new LogWriter(run.system, run.live.world, header, lines => void writeSync(fd, lines), { sync: sync === 'sync' }).follow(run.entries$)
const steps = Buffer.alloc(8)
run.entries$.subscribe(({ n }) => {
  steps.writeDoubleLE(n)
  writeSync(counter, steps, 0, 8, 0)
})
process.stdout.write('running\n')
while (run.advance() === undefined);
