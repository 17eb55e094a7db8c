/**
 * All that tests leave to chance comes from one seed, so that a change is not refused for what it did not do: whoever tests
 * it again tests the same. `SEED=N` asks for other values, and `npm run fuzz` for fresh ones.
 */
import * as fc from 'fast-check'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { skipN } from 'pure-rand/utils/skipN'

const said = process.env['SEED'] ?? '1'
if (!/^-?\d{1,9}$/.test(said)) throw new Error(`SEED is a whole number of up to nine digits, not '${said}'`)
fc.configureGlobal({ seed: Number(said) })

export * from 'fast-check'

const coins = xoroshiro128plus(1)
// A small seed still shows in the first ones.
skipN(coins, 64)
/** For those that are to be caught looking at chance: with most seeds they are, but a toss may always come out alike. */
export const coin = (): boolean => uniformInt(coins, 0, 1) === 1
