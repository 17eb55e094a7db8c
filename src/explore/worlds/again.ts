/**
 * The self-check: whatever is decided is decided again, and has to come out the same. It is little, for everything else is looked
 * up. The first decisions are made again many times: a coin shows the same side twice only too easily.
 */
const FIRST = 64
const OFTEN = 8

/** How many times more something is to be decided; `decided`: how much was so far. */
export const timesAgain = (decided: number): number => (decided <= FIRST ? OFTEN : 1)
