/** Oracles on memory: each says what is wrong where an exhibit has its bug, and all are silent in what the kernel's own tests for HMM do. */
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { prepare, runScenario, type Oracle, type Scenario } from '../../src/index.ts'
import { AT_ANY_STEP, ORACLES } from '../../src/oracles/shipped.ts'

const scenarios = join(import.meta.dirname, '../../scenarios')
const load = async (file: string): Promise<Scenario> => ((await import(join(scenarios, file))) as { readonly default: Scenario }).default

/** What an oracle says first in an exhibit, in the order of events that is written down there. */
async function said(exhibit: string, oracle: keyof typeof ORACLES, kernel: 'wrong' | 'right'): Promise<string | undefined> {
  const shown = await load(`races/${exhibit}.ts`)
  const built = shown.build(shown.exhibit?.[kernel])
  const judge = ORACLES[oracle] as Oracle
  const run = prepare({ ...built, expectations: [{ kind: 'always', name: oracle, oracle: judge }] })
  let report = run.advance()
  while (report === undefined) report = run.advance()
  return report.verdicts[0]?.why
}

for (const [oracle, exhibit, why] of [
  ['noFreedFrameMapped', 'mremap-flushes-late', 'what the CPU knows of page 16 of mm0 leads to frame 2, which is free'],
  ['lockedFramesAreHeld', 'exclusive-fault-unreferenced', 'frame 2 is locked, and free'],
  ['pinnedPagesStay', 'migrates-pinned', 'cpu1 has pinned frame 2 of page 16, where the process has frame 3211263'],
  ['pinnedPagesStay', 'gup-fast-against-collapse', 'cpu0 has pinned frame 2 of page 512, where the process has frame 1024'],
  ['noWriteCrossesFork', 'write-crosses-fork', 'mm1 maps frame 2, and may write it, while cpu0 has taken it for mm0'],
  ['noWriteCrossesFork', 'fork-untold', 'dmirror0 maps frame 2, and may write it, while mm1 maps it for mm1'],
  ['noDaxBlockFreedWhileHeld', 'truncate-against-gup', "somebody has frame 4194304, which is no file's any more"],
  ['noPageWithoutPagemap', 'gup-against-teardown', 'somebody has frame 4194304 (fsdax), and its page map pmem0 is gone'],
] as const) {
  test(`${oracle} rings in ${exhibit}, and is silent without the bug`, async () => {
    assert.is(await said(exhibit, oracle, 'wrong'), why)
    assert.is(await said(exhibit, oracle, 'right'), undefined)
  })
}

const SILENT = [
  'noFreedFrameMapped',
  'lockedFramesAreHeld',
  'noWriteCrossesFork',
  'noDaxBlockFreedWhileHeld',
  'noPageWithoutPagemap',
] as const

for (const file of [
  'anon_write_child',
  'compound',
  'double_map',
  'exclusive_mprotect',
  'file_write',
  'hmm_cow_in_device',
  'migrate_mixed',
]) {
  test(`all are silent in the kernel's own test ${file}`, async () => {
    const shown = await load(`selftests/${file}.ts`)
    for (const variant of shown.variants) {
      const expectations = SILENT.map(name => ({ kind: 'always', name, oracle: AT_ANY_STEP[name] }) as const)
      const { verdicts } = runScenario({ ...shown.build('v6.12', variant), expectations })
      for (const { expectation, holds, why } of verdicts) assert.ok(holds, `${variant}: ${expectation}: ${why ?? ''}`)
    }
  })
}

test.run()
