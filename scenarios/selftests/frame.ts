/**
 * What the kernel's own HMM tests share (tools/testing/selftests/mm/hmm-tests.c): one process that has opened the test
 * driver, on a device with private or with coherent memory, and a buffer of 4 MiB. What each test expects is written in
 * its own file, in our words.
 */
import { scenario, type Expect, type Linux, type Mirror, type Pages, type Scenario, type Thread } from 'mirrorwalk'

export const BUFFER = 1024
/** Of tests that do the same again and again. */
export const TIMES = 10

/** What a test is told with. */
export interface Fixture {
  readonly m: Linux
  readonly cpu: Thread
  readonly expect: Expect
  /** The device's memory is private: the CPU cannot reach it, and faults it back. */
  readonly isPrivate: boolean
  /** Opens a device: the first or the second of the variant's two. */
  readonly open: (n: 0 | 1, by?: Thread) => Mirror
  /** Closes it again, which must be possible. */
  readonly close: (...mirrors: readonly Mirror[]) => void
}

export const selftest = (name: string, tell: (fixture: Fixture) => void): Scenario =>
  scenario(
    `hmm-tests: ${name}`,
    ({ linux, expect, variant }) => {
      const m = linux()
      const cpu = m.thread('cpu0')
      const isPrivate = variant === 'private'
      const open: Fixture['open'] = (n, by = cpu) => by.openDevice(isPrivate ? n : n === 0 ? 2 : 3)
      const close: Fixture['close'] = (...mirrors) => {
        for (const mirror of mirrors) expect.returns(mirror.close(), 0)
      }
      tell({ m, cpu, expect, isPrivate, open, close })
    },
    { profiles: ['v6.1', 'v6.12'], variants: ['private', 'coherent'] },
  )

/** A test with one device open. */
export const onDevice = (name: string, tell: (fixture: Fixture & { readonly dev: Mirror }) => void): Scenario =>
  selftest(name, fixture => {
    const dev = fixture.open(0)
    tell({ ...fixture, dev })
    fixture.close(dev)
  })

/** `first`, `first + 1`, …: what a write leaves in `count` pages. */
export const counting = (first: number, count: number): readonly number[] => Array.from({ length: count }, (_, i) => first + i)
export const zeroes = (count: number): readonly number[] => counting(0, count).map(() => 0)
export const pagesOf = ({ start, end }: Pages): number => end - start
/** All pages were done, in one round of faulting. */
export const all = (pages: Pages): { readonly ret: 0; readonly cpages: number; readonly faults: 1 } => ({
  ret: 0,
  cpages: pagesOf(pages),
  faults: 1,
})
/** All pages were done without faulting. */
export const moved = (pages: Pages): { readonly ret: 0; readonly cpages: number } => ({ ret: 0, cpages: pagesOf(pages) })
