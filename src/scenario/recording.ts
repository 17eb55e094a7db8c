/** Opens the log of a run for time travel, with the system that it was written in. */
import { Recording } from '../inspect/recording.ts'
import { LogFile, type OpenOptions } from '../log/log-file.ts'
import { linuxSystem, type Kinds, type SystemSpec } from './standard.ts'

/** `kinds`: machines of one's own, by the names that the log has for them. */
export function openRecording(path: string, options: OpenOptions & { readonly kinds?: Kinds } = {}): Recording {
  const log = LogFile.open(path, options)
  return new Recording(linuxSystem(log.header.system as SystemSpec, options.kinds), log)
}
