/**
 * Kernels that take a large entry of DAX memory for a damaged table clear it, and tell nobody: a device goes on to map what
 * the process does not have any more. The same device is told of everything else that takes the entry away.
 */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noStaleDeviceMapping, runScenario, scenario, slice, type Thread } from '../../src/index.ts'
import type { Pages } from '../../src/memory/address.ts'

/** A device maps pages of a file on DAX, which the process has mapped 2 MiB at once; then the process does this to them. */
const onFile = (profile: string, act: (cpu: Thread, pages: Pages) => void): string | undefined => {
  const built = scenario('a file on DAX', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const file = cpu.open('data', { fs: 'dax', pages: 1024, fill: 1 })
    const buf = cpu.mmap({ pages: 1024, of: file, shared: true, at: 512 })
    gpu.fault(slice(buf, 0, 4), { write: true })
    act(cpu, buf)
    expect.always('no stale device mapping', noStaleDeviceMapping)
  }).build(profile)
  return runScenario(built).verdicts[0]?.why
}

/** The same of a device of 1 GiB. */
const onDevice = (profile: string, act: (cpu: Thread, pages: Pages) => void): string | undefined => {
  const built = scenario('device-DAX', ({ linux, expect }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const file = cpu.open('dax1.0', { fs: 'devdax' })
    const buf = cpu.mmap({ pages: 2 ** 18, of: file, shared: true, at: 2 ** 18 })
    cpu.write(slice(buf, 0, 2), 7)
    gpu.fault(slice(buf, 0, 2))
    act(cpu, buf)
    expect.always('no stale device mapping', noStaleDeviceMapping)
  }).build(profile)
  return runScenario(built).verdicts[0]?.why
}

test('MADV_PAGEOUT and MADV_COLD on part of a 2 MiB entry', () => {
  for (const advice of ['pageout', 'cold'] as const) {
    const act = (cpu: Thread, pages: Pages): unknown => cpu.madvise(slice(pages, 100, 5), advice)
    assert.match(onFile('v6.1', act) ?? 'silent', /^gpu0 still maps page 512 to frame \d+, where the process has nothing$/)
    assert.is(onFile('v6.12', act), undefined)
  }
})

test('mprotect of a 1 GiB entry', () => {
  const act = (cpu: Thread, pages: Pages): unknown => cpu.mprotect(pages, 'r')
  assert.match(onDevice('v6.1', act) ?? 'silent', /^gpu0 still maps page 262144 to frame \d+, where the process has nothing$/)
  assert.is(onDevice('v6.12', act), undefined)
})

test('whatever else takes the entries away says so', () => {
  const files: readonly ((cpu: Thread, pages: Pages) => unknown)[] = [
    (cpu, pages) => cpu.madvise(slice(pages, 3, 1), 'dontneed'),
    (cpu, pages) => cpu.munmap(slice(pages, 3, 1)),
    (cpu, pages) => cpu.mprotect(slice(pages, 3, 1), 'r'),
    (cpu, pages) => cpu.mremap(slice(pages, 0, 512)),
    (cpu, pages) => cpu.truncate({ file: 'data' }, pages.end - pages.start),
    (cpu, pages) => cpu.punch({ file: 'data' }, { start: 3, end: pages.end - pages.start }),
  ]
  for (const profile of ['v6.1', 'v6.12', 'v7.1']) {
    for (const act of files) assert.is(onFile(profile, act), undefined)
    for (const advice of ['dontneed', 'pageout', 'cold'] as const)
      assert.is(
        onDevice(profile, (cpu, pages) => void cpu.madvise(slice(pages, 0, 600), advice)),
        undefined,
      )
  }
})

test.run()
