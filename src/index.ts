/** The public API, and the only list of it. */
export { scenario, BadScenario } from './scenario/scenario.ts'
export { slice, until } from './scenario/api.ts'
export type {
  Answer,
  Built,
  Child,
  Command,
  Device,
  DeviceFaultOptions,
  DeviceOptions,
  Expect,
  Expectation,
  Linux,
  FilePages,
  GupOptions,
  Mapping,
  Mirror,
  MmapOptions,
  OpenFile,
  OpenOptions,
  Race,
  Scenario,
  ScenarioContext,
  StatementRef,
  Thread,
  Until,
} from './scenario/api.ts'
export type { Exhibit } from './scenario/exhibit.ts'
export { modelOf, retrace } from './scenario/explored.ts'
export { prepare, runScenario } from './scenario/run.ts'
export type { LinuxEntry, Report, RunOptions, ScenarioRun, Verdict } from './scenario/run.ts'
export { reproduce, type Reproduced } from './scenario/reproduce.ts'
export type { View } from './scenario/view.ts'
export type { Page, Pages } from './memory/address.ts'
export { noStaleDeviceMapping, noStaleMappingOn } from './oracles/no-stale-device-mapping.ts'
export { deviceAccessesAreCurrent } from './oracles/device-accesses-are-current.ts'
export { noStaleDeviceAccess } from './oracles/no-stale-device-access.ts'
export { deviceWritesWhatCpuMay } from './oracles/device-writes-what-cpu-may.ts'
export { framesBalance } from './oracles/frames-balance.ts'
export { lockedFramesAreHeld } from './oracles/locked-frames-are-held.ts'
export { noDaxBlockFreedWhileHeld } from './oracles/no-dax-block-freed-while-held.ts'
export { noFreedFrameMapped } from './oracles/no-freed-frame-mapped.ts'
export { noPageWithoutPagemap } from './oracles/no-page-without-pagemap.ts'
export { noWriteCrossesFork } from './oracles/no-write-crosses-fork.ts'
export { pinnedPagesStay } from './oracles/pinned-pages-stay.ts'
export type { Oracle } from './oracles/oracle.ts'
