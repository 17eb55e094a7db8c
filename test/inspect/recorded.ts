/** Runs of scenarios as recordings, for tests of what is shown of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scenario, slice, until, type Scenario } from '../../src/index.ts'
import { openRecording } from '../../src/inspect.ts'
import type { Recording } from '../../src/inspect/recording.ts'
import { told } from './story.ts'

const folder = mkdtempSync(join(tmpdir(), 'mirrorwalk-draw-'))
process.on('exit', () => rmSync(folder, { recursive: true }))

export function recorded(of: Scenario, profile: string, variant?: string): Recording {
  const path = join(folder, `${Math.random()}.jsonl`)
  writeFileSync(path, told(of, profile, undefined, variant, false).bytes)
  return openRecording(path)
}
export const shipped = async (name: string): Promise<Scenario> =>
  ((await import(`../../scenarios/${name}.ts`)) as { readonly default: Scenario }).default

/** The device has walked two pages when the second is taken away, or may be written no more; it maps both. */
export const overtaken = (by: 'dontneed' | 'mprotect'): Scenario =>
  scenario(by, ({ linux }) => {
    const m = linux()
    const [cpu, gpu] = [m.thread(), m.device()]
    const buf = cpu.mmap({ pages: 3 })
    cpu.write(slice(buf, 0, 2), 42)
    const fault = gpu.fault(slice(buf, 0, 2), { write: true })
    const second = slice(buf, 1, 1)
    const other = by === 'mprotect' ? cpu.mprotect(second, 'r') : cpu.madvise(second, 'dontneed')
    m.race(fault, other).order(until(fault, 'driver_lock'), other, fault)
    if (by === 'mprotect') return
    cpu.write(slice(buf, 2, 1), 9)
    cpu.write(second, 9)
  })
