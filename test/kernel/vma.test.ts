/** Areas being split, merged and changed: what a page of them is like changes only where it was asked for. */
import * as fc from '../chance.ts'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { insertVma, modifyFlags, splitAt, vmasFact } from '../../src/kernel/areas/vma.ts'
import { page } from '../../src/memory/address.ts'
import { fold } from '../../src/memory/fold.ts'
import { bootMemory, mmOf } from '../../src/memory/memory.ts'
import { linearIndex, VM_READ, VM_WRITE, vmasIn, type Vma } from '../../src/memory/vma.ts'

const flags = fc.constantFrom(VM_READ, VM_READ | VM_WRITE)
/** Areas that often touch, and could often be one. */
const areas: fc.Arbitrary<readonly Vma[]> = fc
  .array(
    fc.record({
      gap: fc.constantFrom(0, 0, 0, 2),
      count: fc.integer({ min: 1, max: 6 }),
      flags,
      anonVma: fc.constantFrom(0, 0, 1, 2),
      shift: fc.constantFrom(0, 0, 0, 3),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map(list => {
    const vmas: Vma[] = []
    for (const { gap, count, flags: f, anonVma, shift } of list) {
      const start = (vmas.at(-1)?.end ?? 0) + gap
      const [linked, order] = [anonVma === 0 ? [] : [anonVma], vmas.length + 1]
      vmas.push({
        start: page(start),
        end: page(start + count),
        flags: f,
        pgoff: start + shift,
        anonVma,
        linked,
        order,
        anonOrder: order,
        file: '',
      })
    }
    return vmas
  })

type Pages = Readonly<Record<number, { readonly flags: number; readonly index: number }>>
const pagesOf = (vmas: readonly Vma[]): Pages =>
  Object.fromEntries(
    vmas.flatMap(v =>
      Array.from({ length: v.end - v.start }, (_, i) => [v.start + i, { flags: v.flags, index: linearIndex(v, page(v.start + i)) }]),
    ),
  )

const inOrder = (vmas: readonly Vma[]): boolean => vmas.every((v, i) => v.start < v.end && (vmas[i - 1]?.end ?? 0) <= v.start)
const borders = (vmas: readonly Vma[]): ReadonlySet<number> => new Set(vmas.flatMap(v => [v.start, v.end]))

test('a split changes no page, and cuts one area', () => {
  fc.assert(
    fc.property(areas, fc.integer({ min: 0, max: 40 }), (vmas, at) => {
      const { vmas: after, cuts } = splitAt(vmas, page(at))
      assert.equal(pagesOf(after), pagesOf(vmas))
      assert.ok(inOrder(after))
      assert.equal(
        cuts.map(c => [c.at, c.vma.start < at, at < c.vma.end]),
        after.length > vmas.length ? [[at, true, true]] : [],
      )
    }),
  )
})

test('a change of flags changes these pages alone, and each new border is a cut', () => {
  fc.assert(
    fc.property(areas, fc.nat(), fc.nat(), fc.nat(), flags, (vmas, which, from, to, wanted) => {
      const vma = vmas[which % vmas.length] as Vma
      if (vma.flags === wanted) return
      const size = vma.end - vma.start
      const start = page(vma.start + (from % size))
      const end = page(start + 1 + (to % (vma.end - start)))
      const { vmas: after, cuts } = modifyFlags(vmas, vma, start, end, wanted)
      assert.ok(inOrder(after))
      const before = pagesOf(vmas)
      assert.equal(
        pagesOf(after),
        Object.fromEntries(
          Object.entries(before).map(([p, is]) => [p, Number(p) >= start && Number(p) < end ? { ...is, flags: wanted } : is]),
        ),
      )
      const [was, is] = [borders(vmas), borders(after)]
      for (const border of is)
        if (!was.has(border))
          assert.ok(
            cuts.some(c => c.at === border),
            `border ${border} without a cut`,
          )
      for (const cut of cuts) assert.ok(cut.vma.start < cut.at && cut.at < cut.vma.end)
    }),
    { numRuns: 1000 },
  )
})

test('a new area merges with what continues it, and with nothing else', () => {
  fc.assert(
    fc.property(
      areas,
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 1, max: 5 }),
      flags,
      fc.constantFrom('next', 'previous'),
      (vmas, start, count, f, prefers) => {
        if (vmasIn(vmas, page(start), page(start + count)).length > 0) return
        const added = { ...vmaOf(start, start + count, 0), flags: f }
        const after = insertVma(vmas, added, prefers === 'next' ? 'next' : 'previous')
        assert.ok(inOrder(after))
        assert.equal(pagesOf(after), { ...pagesOf(vmas), ...pagesOf([added]) })
        assert.ok(after.length >= vmas.length - 1 && after.length <= vmas.length + 1)
        // Borders that were there between others stay: only those of the new area can go.
        const now = borders(after)
        for (const border of borders(vmas)) assert.ok(now.has(border) || border === start || border === start + count)
      },
    ),
    { numRuns: 1000 },
  )
})

test('two areas of different anon_vma are never joined by a third between them', () => {
  const [a, b] = [vmaOf(0, 2, 1), vmaOf(4, 6, 2)]
  assert.equal(
    insertVma([a, b], vmaOf(2, 4, 0), 'next').map(v => [v.start, v.end, v.anonVma]),
    [
      [0, 2, 1],
      [2, 6, 2],
    ],
  )
  assert.equal(
    insertVma([a, b], vmaOf(2, 4, 0), 'previous').map(v => [v.start, v.end, v.anonVma]),
    [
      [0, 4, 1],
      [4, 6, 2],
    ],
  )
  assert.equal(
    insertVma([a, vmaOf(4, 6, 1)], vmaOf(2, 4, 0), 'next').map(v => [v.start, v.end, v.anonVma]),
    [[0, 6, 1]],
  )
})
const vmaOf = (start: number, end: number, anonVma: number): Vma => ({
  start: page(start),
  end: page(end),
  flags: VM_READ,
  pgoff: start,
  anonVma,
  linked: anonVma === 0 ? [] : [anonVma],
  anonOrder: 0,
  order: 0,
  file: '',
})

test('an area that is linked to the anon_vma of a parent too takes none in that has no other', () => {
  const forked = { ...vmaOf(0, 2, 2), linked: [1, 2] }
  const after = (added: Vma): readonly (readonly number[])[] => insertVma([forked], added, 'previous').map(v => [v.start, v.end])
  assert.equal(after(vmaOf(2, 4, 0)), [
    [0, 2],
    [2, 4],
  ])
  assert.equal(after(vmaOf(2, 4, 2)), [[0, 4]])
})

test('the fact about a change says no more than what changed, and folding it makes the change', () => {
  const unordered = (vmas: readonly Vma[]): readonly object[] => vmas.map(({ order: _, anonOrder: _anon, ...v }) => v)
  fc.assert(
    fc.property(areas, areas, fc.integer({ min: 0, max: 40 }), (vmas, others, at) => {
      const memory = fold(bootMemory(['mm0']), [['vmas', 'mm0', 0, 0, vmas]])
      const last = Math.max(...vmas.map(v => v.order))
      for (const wanted of [others, splitAt(vmas, page(at)).vmas]) {
        const after = mmOf(fold(memory, [vmasFact(memory, 'mm0', wanted)]), 'mm0').vmas
        assert.equal(unordered(after), unordered(wanted))
        // What kept its borders keeps its place in the reverse mappings; all else stands behind.
        for (const [i, v] of wanted.entries()) {
          const kept = vmas.some(was => was.start === v.start && was.end === v.end && was.order === v.order)
          assert.ok(kept ? after[i]?.order === v.order : (after[i]?.order ?? 0) > last)
        }
        assert.is(new Set(after.map(v => v.order)).size, after.length)
      }
      const cut = vmasFact(memory, 'mm0', splitAt(vmas, page(at)).vmas)
      assert.ok(cut[0] === 'vmas' && cut[4].length <= 2 && cut[3] <= 1)
      assert.equal(vmasFact(memory, 'mm0', vmas), ['vmas', 'mm0', vmas.length, 0, []])
    }),
  )
})

test.run()
