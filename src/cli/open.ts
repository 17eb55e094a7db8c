/** A log that is looked at here and there: opened by its index, or while one is made. */
import { LogFile } from '../log/log-file.ts'
import { UsageError } from './output.ts'

/** Smaller logs are read before anybody could wait. */
const LARGE = 16 << 20

/** Opens a log; shows on a terminal how far making its index has come. */
export function openLogFile(path: string): LogFile {
  let shown = false
  const progress = (done: number, all: number): void => {
    if (!process.stderr.isTTY || all < LARGE || performance.now() - last < 100) return
    last = performance.now()
    shown = true
    process.stderr.write(`\r\u001b[K${path}: making its index, ${Math.floor((done / all) * 100)} %`)
  }
  let last = performance.now()
  try {
    return LogFile.open(path, { progress })
  } catch (error) {
    if (error instanceof Error && 'code' in error)
      throw new UsageError(`${path}: cannot be read: ${error.message}. Expected an event log, or a scenario.`)
    throw error
  } finally {
    if (shown) process.stderr.write('\r\u001b[K')
  }
}
