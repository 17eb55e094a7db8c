/**
 * While an invalidation is in flight, the tree of interval notifiers is frozen: `mmu_interval_notifier_remove()` puts the notifier on a
 * list, and waits until the sequence has moved on, which it does at the end of the last invalidation. Up to Linux 5.17 it looked at the
 * sequence without the lock. The end of an invalidation moves the sequence first, and then works off the list, under that lock; in
 * between the remover wakes up, returns, and its caller frees the notifier, which is still on the list and in the tree. 319561669a59
 * takes the lock to look (v5.18).
 *
 * Minimal: one thread snapshots pages through a file of the test driver, which registers a notifier on its stack for that time; another
 * invalidates them, and is at the end of it when the first removes its notifier.
 */
import { scenario, until, type View } from 'mirrorwalk'

interface Registry {
  readonly itree: readonly { readonly who: string }[]
  readonly deferred: readonly { readonly who: string }[]
}

const contextOf = ({ names, world }: View, actor: string): object => world.actors[names.indexOf(actor)]?.context ?? {}

/** Who is known to the registry, in its tree or on the list of what is to be done to that. */
function known(view: View): readonly string[] {
  const { itree = [], deferred = [] }: Partial<Registry> = contextOf(view, 'mm0.registry')
  return [...itree, ...deferred].map(({ who }) => who)
}

/** Has a thread done all that it had to do? */
function isDone(view: View, thread: string): boolean {
  const { program = [] }: { readonly program?: readonly unknown[] } = contextOf(view, thread)
  return program.length === 0
}

export default scenario(
  'a notifier is freed before its removal is worked off',
  ({ linux, expect }) => {
    const m = linux()
    const [cpu0, cpu1] = [m.thread('cpu0'), m.thread('cpu1')]
    const dev = cpu0.openDevice(0)
    const buf = cpu0.mmap({ pages: 1 })
    cpu0.write(buf, 42)
    const snapshot = dev.usedBy(cpu1).snapshot(buf)
    const discard = cpu0.madvise(buf, 'dontneed')
    m.race(snapshot, discard).order(until(snapshot, 'dmirror_snapshot_remove'), until(discard, 'invalidate_range_end'), snapshot, discard)
    expect.always('a notifier that was removed is not known any more', view =>
      isDone(view, 'cpu1') && known(view).includes('dmirror0.snapshot')
        ? 'the notifier of the snapshot, whose memory is free, is still to be worked off'
        : undefined,
    )
  },
  { exhibit: { of: 'removeSeesSequence', wrong: 'v6.12,+removeSeesSequence', right: 'v6.12' } },
)
