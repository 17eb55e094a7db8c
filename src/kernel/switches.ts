/**
 * The switches of kernel profiles, each declared once: where its fact is from (the release, commit or function), and what
 * it decides, in a sentence. Their names and values are the type of a profile (profiles.ts), and `mirrorwalk profiles`
 * prints them.
 */
import { CONFIG_SWITCHES } from './switches/config.ts'
import { CPU_SWITCHES } from './switches/cpu.ts'
import { DAX_SWITCHES } from './switches/dax.ts'
import { GUP_SWITCHES } from './switches/gup.ts'
import { HMM_SWITCHES } from './switches/hmm.ts'
import type { Setting, Switch } from './switches/switch.ts'

export type { Setting, Switch } from './switches/switch.ts'

export const SWITCHES = {
  ...HMM_SWITCHES,
  ...GUP_SWITCHES,
  ...DAX_SWITCHES,
  ...CPU_SWITCHES,
  ...CONFIG_SWITCHES,
} as const satisfies Readonly<Record<string, Switch<Setting>>>

export type SwitchName = keyof typeof SWITCHES
/** A value for each switch. */
export type Switches = { readonly [S in SwitchName]: (typeof SWITCHES)[S]['values'][number] }
export const switchNames = Object.keys(SWITCHES) as readonly SwitchName[]

/** A setting as people read it. */
export const inWords = (set: Setting): string => (typeof set === 'boolean' ? (set ? 'yes' : 'no') : `${set}`)

/** The switches that differ between two kernels. */
export const changedBetween = (a: Switches, b: Switches): readonly SwitchName[] =>
  switchNames.filter(name => inWords(a[name]) !== inWords(b[name]))
