/** `mirrorwalk/inspect`: time travel over event logs, as a library; the debugger is made of it. */
import { Recording } from './inspect/recording.ts'
import { LogFile, type OpenOptions } from './log/log-file.ts'
import { linuxSystem, type Kinds, type SystemSpec } from './scenario/standard.ts'

export * from './inspect/index.ts'
export { Cursor, type Change, type Stop } from './inspect/cursor.ts'
export { Recording, type LinuxWorld, type Run } from './inspect/recording.ts'
export { BadPath, differs, pathOf, type Path } from './inspect/path.ts'
export { BadCondition, conditionOf, type Condition } from './inspect/stopping.ts'
export { ORACLES } from './oracles/shipped.ts'
export { lastChange, nextChange, verdictOf, why, type Derived, type Edge, type Invalidation, type Why } from './inspect/provenance.ts'
export { Whole } from './inspect/whole.ts'
export { describeStep } from './inspect/folded-step.ts'
export { drawState } from './inspect/draw.ts'
export { whyLines } from './inspect/why-lines.ts'
export { Branch, CannotTake, compareFrom, withStatement, type Compared } from './inspect/branch.ts'
export { possibleIn, type Possible } from './inspect/waiting.ts'
export { BadNotes, Notes, type Note } from './log/notes.ts'
export { DamagedLog, type OpenOptions } from './log/log-file.ts'
export { NotALog, type Damage } from './log/reader.ts'

/** Opens an event log; `kinds`: machines of one's own, by the names that the log has for them. */
export function openRecording(path: string, options: OpenOptions & { readonly kinds?: Kinds } = {}): Recording {
  const log = LogFile.open(path, options)
  return new Recording(linuxSystem(log.header.system as SystemSpec, options.kinds), log)
}
