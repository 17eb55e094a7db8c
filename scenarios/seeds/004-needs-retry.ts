/**
 * Seed 004, the other places: where `hmm_range_fault()` and `hmm_range_dma_map()` ask `needs_retry()`.
 *
 * While drivers were being converted (Linux 5.5) a range had an `hmm_mirror`, whose `valid` flag is set again when an invalidation
 * ends, or an interval notifier, whose sequence number is another one then. Each place where it mattered that the range
 * was valid asks the one or the other:
 *
 * - `top`: before each area is walked. An invalidation that was over before the call sends a range with a notifier back (EBUSY);
 *   with the flag, it was never there, which does no harm here: the walk is yet to come.
 * - `again`: when a page was faulted in, before the walk is tried again. A fault that copies a page invalidates it; with a
 *   notifier that sends the range back, though nobody but itself has done it.
 * - `dma`: for each page that is mapped for DMA. If the range was invalidated, all pages mapped so far are unmapped again (EBUSY).
 *
 * What the driver does then is the same for both: it begins again, here only as often as it is allowed to.
 */
import { noStaleMappingOn, scenario, slice, until, type View } from 'mirrorwalk'

/** Did the call in progress end with EBUSY? */
const sentBack = ({ names, world }: View): boolean => {
  const context: { readonly fail?: unknown } = world.actors[names.indexOf('gpu0.range')]?.context ?? {}
  return context.fail === 'EBUSY'
}

export default scenario(
  'seed 004: a range with a notifier is sent back where one with a flag is not',
  ({ linux, expect, variant }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const after = m.profile.rangeValidity === 'valid flag or sequence'
    const gpu = m.device('gpu0', { notifier: after ? 'mmu_interval_notifier' : 'hmm_mirror' })
    const buf = cpu.mmap({ pages: 4 })
    cpu.write(buf, 42)
    const first = slice(buf, 0)

    if (variant === 'top') {
      const fault = gpu.fault(first, { attempts: 1 })
      const discard = cpu.madvise(first, 'dontneed')
      m.race(fault, discard).order(until(fault, 'hmm_range_fault'), discard, fault)
      expect.answers(fault, ({ err, ret }) => err === 'EBUSY' || ret === 1)
      if (after)
        expect.sometimes('it is sent back, and nothing is faulted in', view => sentBack(view) && view.entry(first.start) === 'none')
      else expect.sometimes('it goes on, and has the page faulted in again', view => /S/.test(view.entry(first.start)))
      if (after) expect.always('the device has nothing that the process has lost', noStaleMappingOn('gpu0'))
      return
    }

    if (variant === 'again') {
      // To be written, the zero page is given up for a copy.
      const zero = cpu.mmap({ pages: 1 })
      cpu.read(zero)
      expect.answers(gpu.fault(zero, { write: true, attempts: 1 }), after ? { err: 'EBUSY' } : { ret: 1, err: null })
      expect.finally('the page was copied, whatever was answered', view => /W/.test(view.entry(zero.start)))
      expect.returns(gpu.fault(zero, { write: true, attempts: 1 }), 1)
      return
    }

    // The first pages are mapped for DMA when one of them is taken away.
    const spare = cpu.mmap({ pages: 2 })
    const map = gpu.dmaMap(buf, { write: true, attempts: 1 })
    m.race(map, [cpu.write(spare, 1), cpu.madvise(first, 'dontneed')])
    expect.answers(map, ({ err, ret }) => err === 'EBUSY' || (err === null && ret === 4))
    expect.sometimes('a page is mapped for DMA, both ways', view => view.dma('gpu0', first.start) === 'DMA_BIDIRECTIONAL')
    expect.finally('all of them are in the end, or none', view => {
      const mapped = [0, 1, 2, 3].filter(i => view.dma('gpu0', slice(buf, i).start) !== undefined)
      return mapped.length === 0 || mapped.length === 4
    })
    if (after) {
      expect.always('with a notifier no page is mapped that is gone', noStaleMappingOn('gpu0'))
      expect.sometimes('it is sent back, and all is undone', view => sentBack(view) && view.dma('gpu0', first.start) === undefined)
    }
    // For reading alone, and undisturbed.
    const quiet = cpu.mmap({ pages: 3 })
    cpu.write(slice(quiet, 1), 5)
    expect.answers(gpu.dmaMap(slice(quiet, 1)), { ret: 1, values: [3] })
    expect.finally('what the CPU may write is mapped both ways', view => view.dma('gpu0', slice(quiet, 1).start) === 'DMA_BIDIRECTIONAL')
    cpu.read(slice(quiet, 0))
    expect.answers(gpu.dmaMap(slice(quiet, 0)), { ret: 1, values: [1] })
    expect.finally('what it may only read is not', view => view.dma('gpu0', quiet.start) === 'DMA_TO_DEVICE')
    // A page that cannot be had ends it before anything is mapped.
    const file = cpu.open('short', { fs: 'memfd', pages: 1, fill: 1 })
    const over = cpu.mmap({ pages: 2, shared: true, of: file })
    expect.returns(gpu.dmaMap(over, { attempts: 1 }), 'EFAULT')
    expect.finally('nothing of it is mapped', view => view.dma('gpu0', over.start) === undefined)
  },
  { profiles: ['v5.5-pre', 'v5.5'], variants: ['top', 'again', 'dma'] },
)
