/** Exact fractions: chances, as counts of equally likely ways. */
export interface Fraction {
  readonly of: bigint
  readonly in: bigint
}

export const ZERO: Fraction = { of: 0n, in: 1n }
export const ONE: Fraction = { of: 1n, in: 1n }

const common = (a: bigint, b: bigint): bigint => {
  let [x, y] = [a < 0n ? -a : a, b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

/** In lowest terms; `below` may be negative, but not 0. */
export function fraction(above: bigint, below: bigint): Fraction {
  if (above === 0n) return ZERO
  const [of, into] = below < 0n ? [-above, -below] : [above, below]
  const shared = common(of, into)
  return { of: of / shared, in: into / shared }
}

export const plus = (a: Fraction, b: Fraction): Fraction =>
  a.in === b.in ? fraction(a.of + b.of, a.in) : fraction(a.of * b.in + b.of * a.in, a.in * b.in)
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, { of: -b.of, in: b.in })
export const times = (a: Fraction, b: Fraction): Fraction => fraction(a.of * b.of, a.in * b.in)
export const over = (a: Fraction, b: Fraction): Fraction => fraction(a.of * b.in, a.in * b.of)

const DIGITS = 17
/** As near as a number comes to it, however many digits it has. */
export function numberOf({ of, in: into }: Fraction): number {
  const shift = Math.max(0, into.toString().length - of.toString().length) + DIGITS
  return Number((of * 10n ** BigInt(shift)) / into) / 10 ** shift
}
