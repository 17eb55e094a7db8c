/**
 * The OOM reaper takes memory away from a process that is to die, and may not wait for anybody: its invalidations are not blockable. A driver
 * that holds the lock its callback needs declines (EAGAIN), and the reaper leaves that memory alone. In Linux 5.2 `hmm_invalidate_range_start()`
 * kept what the driver had said in an inner variable of the same name, and answered 0: the reaper went on, and took away what the device had not
 * been told of. v5.3 has one variable.
 *
 * Minimal: the device has asked whether its range still counts, and holds its lock; the reaper comes by, is declined, and takes the page; the
 * device maps it.
 */
import { noStaleDeviceMapping, scenario, until } from 'mirrorwalk'

export default scenario(
  'the OOM reaper goes on though a driver has declined',
  ({ linux, expect }) => {
    const m = linux()
    const cpu = m.thread('cpu0')
    const gpu = m.device('gpu0')
    const reaper = m.thread('oom_reaper')
    const buf = cpu.mmap({ pages: 1 })
    cpu.write(buf, 42)
    const fault = gpu.fault(buf)
    const reap = reaper.oom_reap_task_mm()
    m.race(fault, reap).order(until(fault, 'commit'), reap, fault)
    expect.always('no stale device mapping', noStaleDeviceMapping)
    expect.answers(reap, ({ err }) => err === null || err === 'EAGAIN')
  },
  { exhibit: { of: 'refusalSwallowed', wrong: 'v6.12,+refusalSwallowed', right: 'v6.12' } },
)
