/**
 * `mirrorwalk/driver`: a driver of one's own as two xstate machines, in place of ours. `deviceSetup` and `handlerSetup` have all that
 * our own are made of; a driver that keeps more than they do has a `setup()` of its own, of the functions that they are made of.
 */
export { BadDriver, defineDevice, defineMirror, type Driver, type MirrorDriver } from './scenario/drivers.ts'
export { DRIVER_WORDS, KERNEL_CALLS, type DriverWord } from './kernel/driver.ts'
export { reply } from './system/actor.ts'

// The device: its table, its TLB, what is in flight.
export {
  begun,
  deviceContext,
  deviceSetup,
  dropped,
  flushed,
  found,
  hardware,
  isQuiet,
  isStale,
  mapped,
  performed,
  type DeviceContext,
  type DeviceEvent,
  type DeviceInput,
} from '../machines/device.ts'

// The kernel's own test driver: one of its open files.
export { dmirror } from '../machines/dmirror.ts'

// The fault handler: a range, and what is left to be done about it.
export {
  rangeContext as handlerContext,
  rangeGuards as handlerGuards,
  rangeSetup as handlerSetup,
  type RangeInput as HandlerInput,
} from '../machines/range.ts'
export { rangeFault, wantedOf, type RangeContext as HandlerContext, type RangeEvent as HandlerEvent } from './kernel/range.ts'
export { accessed, isAccess, requested, translated } from './kernel/device-access.ts'
export { REST, workOf } from './kernel/thread.ts'
export { call } from './kernel/offer.ts'
