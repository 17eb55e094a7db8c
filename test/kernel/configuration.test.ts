/** Kernels that were built without something: how they are named, which cannot be, and what they do then. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { kernelNamed, OPTIONS } from '../../src/kernel/configuration.ts'
import { profiles, type Profile } from '../../src/kernel/profiles.ts'
import { changedBetween } from '../../src/kernel/switches.ts'
import { PMD_PAGES } from '../../src/memory/address.ts'
import { BadScenario, framesBalance, runScenario, scenario, type ScenarioContext } from '../../src/index.ts'

const named = (name: string): Profile => {
  const kernel = kernelNamed(name)
  if (typeof kernel === 'string') throw new Error(kernel)
  return kernel
}
/** Tells the story on a kernel; fails with the first expectation that does not come true. */
function holds(kernel: string, tell: (context: ScenarioContext) => void): void {
  const { verdict, verdicts } = runScenario(scenario('a test', tell).build(kernel))
  assert.is(verdict, 'holds', JSON.stringify(verdicts.filter(v => v.holds !== true)))
}

test('everything is built in, and a name leaves out what it says, in one order', () => {
  for (const profile of profiles) for (const option of OPTIONS) assert.is(profile[option], true, `${profile.name} ${option}`)
  const bare = named('v6.1,-hugetlb,-thp')
  assert.is(bare.name, 'v6.1,-thp,-hugetlb')
  assert.is(bare.about, 'Linux 6.1: interval notifiers, exclusive anonymous pages; built without thp, hugetlb')
  assert.equal(changedBetween(named('v6.1'), bare), ['thp', 'hugetlb'])
  assert.is(named('v6.1').name, 'v6.1')
})

test('what cannot be built is refused with the reason, and with what can be', () => {
  assert.match(kernelNamed('v6.1,-zoneDevice') as string, /DEVICE_PRIVATE depends on ZONE_DEVICE\. .*'v6\.1,-zoneDevice,-devicePrivate'$/)
  const bare = kernelNamed('v6.1,-pteSpecial') as string
  assert.match(bare, /^no kernel can be built as 'v6\.1,-pteSpecial': ZONE_DEVICE depends on ARCH_HAS_PTE_DEVMAP, .*; DEVICE_PRIVATE /)
  assert.match(bare, /'v6\.1,-pteSpecial,-zoneDevice,-devicePrivate'$/)
  assert.is(named('v6.1,-pteSpecial,-zoneDevice,-devicePrivate').pteSpecial, false)
  assert.match(kernelNamed('v6.1,thp') as string, /^'thp' in 'v6\.1,thp' is nothing that can be left out of a kernel; there are -thp, /)
  assert.match(kernelNamed('v1.0,-thp') as string, /^no kernel profile 'v1\.0'; there are /)
})

test('without CONFIG_TRANSPARENT_HUGEPAGE (2.10): no entry of 2 MiB, and no advice about it', () => {
  for (const thp of [true, false]) {
    holds(thp ? 'v6.1' : 'v6.1,-thp', ({ linux, expect }) => {
      const cpu = linux().thread('cpu0')
      const buf = cpu.mmap({ pages: PMD_PAGES, at: PMD_PAGES })
      expect.returns(cpu.madvise(buf, 'huge'), thp ? 0 : 'EINVAL')
      cpu.write(buf, 1)
      const dax = cpu.open('f', { fs: 'dax', pages: PMD_PAGES, fill: 7 })
      const file = cpu.mmap({ pages: PMD_PAGES, at: 3 * PMD_PAGES, of: dax, shared: true })
      expect.returns(cpu.read({ start: file.start, end: file.start + 1 } as typeof file), [7])
      expect.finally('entries are as large as they can be', view => view.huge(buf.start) === thp && view.huge(file.start) === thp)
    })
  }
})

test('without CONFIG_HUGETLB_PAGE (2.10): no area of the pool', () => {
  for (const [kernel, ret] of [
    ['v6.12', 0],
    ['v6.12,-hugetlb', 'EINVAL'],
    ['v5.2,-hugetlb', 'EINVAL'],
  ] as const)
    holds(kernel, ({ linux, expect }) => {
      const cpu = linux().thread('cpu0')
      expect.returns(cpu.mmap({ pages: PMD_PAGES, at: PMD_PAGES, of: 'hugetlb' }), ret)
    })
})

test('without CONFIG_DEVICE_PRIVATE (2.10): nothing can go to the device, nor be for it alone; it mirrors all the same', () => {
  holds('v6.1,-devicePrivate', ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const [dev, coherent] = [cpu.openDevice(0), cpu.openDevice(2)]
    const buf = cpu.mmap({ pages: 2 })
    cpu.write(buf, 5)
    expect.answers(dev.migrateToDevice(buf), { err: 'ENOENT' })
    expect.returns(dev.exclusive(buf), 'EBUSY')
    expect.answers(dev.read(buf), { ret: 0, values: [5, 6] })
    expect.answers(coherent.migrateToDevice(buf), { ret: 0, cpages: 2 })
    expect.returns(cpu.read(buf), [5, 6])
    for (const mirror of [dev, coherent]) expect.returns(mirror.close(), 0)
  })
})

test('without CONFIG_ZONE_DEVICE: no DAX, which a scenario is told at once; device-DAX needs 2 MiB entries, too', () => {
  const opens = (kernel: string, fs: 'dax' | 'devdax'): (() => void) => {
    const opening = scenario('it opens a file', ({ linux }) => void linux().thread().open('f', { fs }))
    return () => void opening.build(kernel)
  }
  const refused = (kernel: string, fs: 'dax' | 'devdax', why: RegExp): void =>
    assert.throws(opens(kernel, fs), (error: Error) => error instanceof BadScenario && why.test(error.message))
  refused('v6.1,-zoneDevice,-devicePrivate', 'dax', /cannot run: v6\.1,-zoneDevice,-devicePrivate has no DAX: FS_DAX needs ZONE_DEVICE$/)
  refused('v6.1,-zoneDevice,-devicePrivate', 'devdax', /DEV_DAX needs ZONE_DEVICE$/)
  refused('v6.1,-thp', 'devdax', /DEV_DAX depends on TRANSPARENT_HUGEPAGE$/)
  assert.not.throws(opens('v6.1,-thp', 'dax'))
})

test('without CONFIG_ARCH_HAS_PTE_SPECIAL (2.10): the zero page and raw frames are told by the area, not by the entry', () => {
  for (const [kernel, entry] of [
    ['v6.12', 'PAS'],
    ['v6.12,-pteSpecial,-zoneDevice,-devicePrivate', 'PA'],
  ] as const)
    holds(kernel, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread('cpu0'), m.device('gpu0')]
      const zero = cpu.mmap({ pages: 1 })
      expect.returns(cpu.read(zero), [0])
      expect.sometimes('what the entry says', view => view.entry(zero.start) === entry)
      expect.always('references balance', framesBalance)
      expect.returns(gpu.fault(zero), 0)
      expect.returns(cpu.gup(zero), 1)
      cpu.write(zero, 3)
      expect.returns(cpu.read(zero), [3])
      const other = cpu.mmap({ pages: 1 })
      cpu.read(other)
      expect.returns(cpu.munmap(other), 0)
      const child = cpu.fork()
      expect.returns(child.read(zero), [3])
    })
})

test('2.12, pte special (ARCH_HAS_PTE_SPECIAL) not devmap (includes the zero page): SPECIAL, -EFAULT only where there is the bit', () => {
  for (const [kernel, err] of [
    ['v5.2', 'EFAULT'],
    ['v5.2,-pteSpecial,-zoneDevice,-devicePrivate', null],
  ] as const)
    holds(kernel, ({ linux, expect }) => {
      const m = linux()
      const [cpu, gpu] = [m.thread('cpu0'), m.device('gpu0')]
      const zero = cpu.mmap({ pages: 1 })
      cpu.read(zero)
      expect.answers(gpu.fault(zero), { err })
    })
})

test('a bug can be put into a kernel that has what it is in', () => {
  const kernel = named('v6.12,+commitsUnchecked,-thp')
  assert.is(kernel.name, 'v6.12,-thp,+commitsUnchecked')
  assert.equal(kernel.bugs, ['commitsUnchecked'])
  assert.match(kernel.about, /; built without thp; with the bug commitsUnchecked$/)
  for (const profile of profiles) assert.equal(profile.bugs, [], profile.name)
  assert.match(kernelNamed('v6.12,+thp') as string, /^no bug 'thp' can be put into a kernel; there are \+commitsUnchecked/)
  assert.match(kernelNamed('v5.2,+commitsUnchecked') as string, /^v5\.2 cannot have the bug commitsUnchecked: /)
})

test.run()
