/** Seed 003 told on both sides: before and after differ in what the patch speaks of, and in nothing else. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import seed from '../../scenarios/seeds/003-gup-dax.ts'
import { BadScenario, prepare, scenario, type Report } from '../../src/index.ts'

interface Told {
  readonly report: Report
  /** What each system call answered, by its thread and its number there. */
  readonly answers: ReadonlyMap<string, { readonly call: string; readonly answer: string }>
  /** What happened to the page map and to pages. */
  readonly taken: readonly string[]
}

function told(profile: string, variant: string): Told {
  const run = prepare(seed.build(profile, variant))
  const answers = new Map<string, { readonly call: string; readonly answer: string }>()
  const taken: string[] = []
  const calls = new Map<string, string>()
  run.entries$.subscribe(({ choice, event, facts, do: what }) => {
    if (event.type === 'syscall') calls.set(choice.by, what)
    if (event.type === 'returned') {
      const { err, ret } = event as unknown as { readonly err: string | null; readonly ret: number }
      const nth = [...answers.keys()].filter(key => key.startsWith(`${choice.by} `)).length
      answers.set(`${choice.by} ${nth}`, { call: calls.get(choice.by) ?? '', answer: `${err ?? ret}` })
    }
    for (const fact of facts) {
      if (fact[0] === 'pagemap') taken.push(`${fact[1]} ${fact[2]}`)
      else if (fact[0] === 'refs') taken.push(`page ${fact[3]}`)
    }
  })
  for (;;) {
    const report = run.advance()
    if (report !== undefined) return { report, answers, taken }
  }
}

/** For each variant, the answers that are others since the patch. `…` is a call that never ends. */
const DIFFERENCES: Readonly<Record<string, readonly string[]>> = {
  pte: ['get_user_pages: EFAULT → 1', 'get_user_pages: EFAULT → 3'],
  pmd: ['get_user_pages: EFAULT → 1', 'get_user_pages: EFAULT → 3'],
  populate: [],
  dump: ['get_user_pages: EFAULT → 3'],
  touch: ['get_user_pages: EFAULT → 1'],
  numa: ['get_user_pages: EFAULT → 1'],
  fast: ['get_user_pages_fast: EFAULT → 4', 'get_user_pages_fast: EFAULT → 1'],
  changed: ['get_user_pages_fast: EFAULT → 4'],
  undo: ['get_user_pages_fast: 1 → …'],
  dying: ['get_user_pages: EFAULT → …'],
  'dying-pmd': [],
  teardown: ['get_user_pages: EFAULT → 1'],
  nomap: [],
}

test('each variant has its differences told', () => assert.equal(Object.keys(DIFFERENCES), seed.variants))

for (const variant of seed.variants) {
  test(`${variant}: v4.4 and v4.5 answer alike but for what the patch says`, () => {
    const [before, after] = [told('v4.4', variant), told('v4.5', variant)]
    assert.equal([before.report.verdict, after.report.verdict], ['holds', 'holds'])
    const differ = [...before.answers].flatMap(([nth, { call, answer }]) => {
      const now = after.answers.get(nth)?.answer ?? '…'
      return now === answer ? [] : [`${call}: ${answer} → ${now}`]
    })
    assert.equal(differ, DIFFERENCES[variant])
  })
}

test('fact by fact: the page map, the page, the page map back, the page back', () => {
  const facts = (profile: string, variant: string): readonly string[] => {
    const { taken } = told(profile, variant)
    const first = taken.findIndex(fact => fact.startsWith('pmem0'))
    return first < 0 ? [] : taken.slice(first, first + 5)
  }
  for (const variant of ['pte', 'pmd']) {
    assert.equal(facts('v4.4', variant), [])
    // The page holds the page map, too, until it is put.
    assert.equal(facts('v4.5', variant), ['pmem0 1', 'page 1', 'pmem0 1', 'pmem0 -1', 'page -1'], variant)
    for (const profile of ['v4.14', 'v6.1', 'v6.12'])
      assert.equal(facts(profile, variant).slice(0, 4), ['pmem0 1', 'page 1', 'pmem0 -1', 'page -1'], `${variant} on ${profile}`)
  }
})

test('a page that is not given back is found: nobody tears down what is held', () => {
  const { report } = told('v4.5', 'teardown')
  const waits = report.verdicts.find(v => v.expectation.startsWith('the page map is dying'))
  assert.is(waits?.holds, true)
})

test('a livelock that nobody expects is told as what it is', () => {
  const never = scenario('never', ({ linux, expect }) => {
    const cpu = linux().thread('cpu0')
    const buf = cpu.mmap({ pages: 1, shared: true, of: cpu.open('data', { fs: 'dax', pages: 1, fill: 1 }) })
    cpu.read(buf)
    cpu.devm_memremap_pages_release('pmem0')
    expect.returns(cpu.gup(buf), 1)
    expect.returns(cpu.read(buf), 'livelock')
  })
  const run = prepare(never.build('v4.5'))
  let report = run.advance()
  while (report === undefined) report = run.advance()
  assert.is(report.verdict, 'violated')
  assert.is(report.ended.why, 'livelock')
  assert.match(report.verdicts[0]?.why ?? '', /^cpu0 in circles for ever/)
  assert.equal(
    report.verdicts.map(v => v.holds),
    [false, null, null],
  )
})

test('a kernel that has no HMM, no device-DAX, or no files on DAX without a page map, is not asked for them', () => {
  const asks =
    (profile: string, what: Parameters<typeof scenario>[1]): (() => unknown) =>
    () =>
      scenario('asks', what).build(profile)
  assert.throws(
    asks('v4.5', ({ linux }) => linux().device()),
    /cannot be built for v4\.5: it has no HMM/,
  )
  assert.throws(
    asks('v4.4', ({ linux }) => linux().thread().openDevice()),
    /no HMM, and so no test driver/,
  )
  assert.throws(
    asks('v4.4', ({ linux }) => linux().thread().open('d', { fs: 'devdax' })),
    /v4\.4: it has no device-DAX/,
  )
  assert.throws(
    asks('v6.1', ({ linux }) => linux().thread().open('d', { fs: 'dax', pfnMap: false })),
    /only where the device has a page map/,
  )
  assert.throws(
    asks('v4.5', ({ linux }) => linux().thread().open('d', { fs: 'ext4', pfnMap: false })),
    /pfnMap is said of files on DAX/,
  )
  assert.throws(
    asks('v4.4', ({ linux }) => linux().device()),
    (e: unknown) => e instanceof BadScenario,
  )
})

test.run()
