/** Agendas: what an action is, how control runs through, and what is left after a failure. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { advance, type Action, type Kernel, type Work } from '../../src/kernel/advance.ts'
import { readLocked, section, type Agenda, type Rules } from '../../src/kernel/agenda.ts'
import { profileNamed, type Profile } from '../../src/kernel/profiles.ts'
import { kernelOf } from '../../src/kernel/rules.ts'
import { page, pfn } from '../../src/memory/address.ts'
import { bootMemory } from '../../src/memory/memory.ts'
import { Table } from '../../src/memory/table.ts'

const MM = 'mm0'
const kernel = kernelOf(profileNamed('v6.12') as Profile)
const memory = bootMemory([MM])
const working = (agenda: Agenda): Work => ({ agenda, array: Table.empty, fail: null, ret: 0, out: {} })

const isAction = (x: Action | Work): x is Action => 'item' in x
/** The items that act, one after the other, with these replies to the calls of each kind. */
function acts(
  agenda: Agenda,
  replies: Readonly<Record<string, readonly unknown[]>> = {},
  kernelOfTest: Kernel = kernel,
): { readonly acted: readonly string[]; readonly left: Work } {
  const acted: string[] = []
  let now = working(agenda)
  for (;;) {
    const next = advance(kernelOfTest, memory, now, Infinity)
    if (!isAction(next)) return { acted, left: next }
    acted.push(next.item.do)
    now = next.after(replies[next.item.do] ?? [])
  }
}
const started = {
  invalidate_range_start: [{ seq: 3, interval: ['gpu0', 'gpu1'], plain: ['probe'] }],
  invalidate: [true],
  invalidate_range_end: [['probe']],
}
const range = { mm: MM, event: 'UNMAP', start: page(0), end: page(4) } as const

test('control takes no step of its own', () => {
  const { acted, left } = acts([
    { do: 'return', ret: 7 },
    { do: 'munmap', mm: MM, start: page(0), end: page(4) },
  ])
  assert.equal(acted, ['mmap_write_lock', 'mmap_unlock'])
  assert.equal([left.agenda, left.fail, left.ret], [[], null, 7])
})

test('a section has its callbacks, what it encloses, and its end', () => {
  assert.equal(acts(section(range, [{ do: 'mmap_write_downgrade', mm: MM }]), started).acted, [
    'invalidate_range_start',
    'invalidate',
    'invalidate',
    'notifier_range_start',
    'mmap_write_downgrade',
    'invalidate_range_end',
    'notifier_range_end',
  ])
})

test('a failure drops what is left, but unlocks and ends what was begun', () => {
  const failing = readLocked(MM, [
    ...section(range, [
      { do: 'fail', failure: 'EFAULT' },
      { do: 'mmap_write_downgrade', mm: MM },
    ]),
    { do: 'return', ret: 5 },
  ])
  const { acted, left } = acts(failing, started)
  assert.equal(acted, [
    'mmap_read_lock',
    'invalidate_range_start',
    'invalidate',
    'invalidate',
    'notifier_range_start',
    'invalidate_range_end',
    'notifier_range_end',
    'mmap_unlock',
  ])
  assert.equal([left.fail, left.ret], ['EFAULT', 0])
})

test('an invalidation that is declined ends for the registry alone, and encloses nothing', () => {
  const { acted, left } = acts(section(range, [{ do: 'mmap_write_downgrade', mm: MM }]), { ...started, invalidate: [false] })
  assert.equal(acted, ['invalidate_range_start', 'invalidate', 'mn_itree_inv_end'])
  assert.is(left.fail, 'EAGAIN')
})

test('a failure that is caught goes on as what it becomes there', () => {
  assert.is(
    acts([
      { do: 'fail', failure: 'VM_FAULT_SIGBUS' },
      { do: 'as_errno', of: { VM_FAULT_SIGBUS: 'EFAULT' } },
    ]).left.fail,
    'EFAULT',
  )
  assert.is(
    acts([
      { do: 'fail', failure: 'EPERM' },
      { do: 'as_errno', of: { VM_FAULT_SIGBUS: 'EFAULT' } },
    ]).left.fail,
    'EPERM',
  )
  assert.equal(acts([...readLocked(MM, [{ do: 'fail', failure: 'EPERM' }]), { do: 'ignore_failure' }, { do: 'return', ret: 3 }]).left, {
    ...working([]),
    ret: 3,
  })
})

test('GUP answers the pages that it has, and a failure only if it has none', () => {
  const gup: Agenda = [
    { do: 'fail', failure: 'EFAULT' },
    { do: 'gup_end', mm: MM, start: page(8), end: page(12) },
  ]
  const having = (count: number): Work => {
    const next = advance(kernel, memory, { ...working(gup), array: Table.empty.setRange(8, count, pfn(2), 1) }, Infinity)
    if (isAction(next)) throw new Error(`${next.item.do} acts`)
    return next
  }
  assert.equal([having(0).fail, having(0).ret], ['EFAULT', 0])
  assert.equal([having(3).fail, having(3).ret], [null, 3])
})

test('a rule that goes in circles is found out', () => {
  const circling: Rules = { ...kernel.rules, return: (_, item) => ({ then: [item] }) }
  assert.throws(() => acts([{ do: 'return', ret: 0 }], {}, { ...kernel, rules: circling }), /'return' goes in circles/)
})

test.run()
