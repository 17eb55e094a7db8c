/** What Tab offers in the debugger: commands, and behind each what it takes. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execute } from '../../src/cli/debug/commands.ts'
import { completed } from '../../src/cli/debug/completion.ts'
import { Session } from '../../src/cli/debug/session.ts'
import { openRun } from '../../src/cli/open.ts'
import { root } from './command.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-completion-'))
const log = join(folder, 'run.jsonl')
copyFileSync(join(root, 'test/fixtures/logs/race-v5.2.jsonl'), log)
const session = new Session(openRun(log))
for (const line of ['goto 18', 'bookmark walked', 'watch gpu0.table.16', 'branch early']) execute(session, line)

const offered: Readonly<Record<string, readonly string[]>> = {
  rever: ['reverse-step', 'reverse-continue', 'reverse-until'],
  'until noStaleDeviceM': ['noStaleDeviceMapping'],
  'u do commit and mm0.registry.inv': ['mm0.registry.invalidate_seq'],
  'show ta': ['tables'],
  'watch mm0.hmm.r': ['mm0.hmm.ranges'],
  'last frame.2.ref': ['frame.2.refs'],
  'unwatch ': ['gpu0.table.16'],
  'goto w': ['walked'],
  'switch ': ['trunk', 'early'],
  'take gpu0.': ['gpu0.range'],
  'branch late pro': ['profile'],
  'branch late profile v5.5': ['v5.5', 'v5.5-pre'],
  'do cpu0 mu': ['munmap', 'munlock'],
  'help unw': ['unwatch'],
  'nonsense x': [],
}
for (const [line, expected] of Object.entries(offered)) {
  test(`'${line}'`, () => {
    const [found, last] = completed(session, line)
    assert.equal(found.toSorted(), expected.toSorted())
    assert.is(last, line.split(' ').at(-1))
  })
}

test.after(() => rmSync(folder, { recursive: true }))
test.run()
