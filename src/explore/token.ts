/**
 * Choices as a word that can be pasted: `x1-3fa9-4a21-6b8-4b3o1` says that actor 4 takes 21 steps as far as they go, actor 6
 * eight of one entry each, and actor 4 three with its second offer. The second part stands for the actors' names: a word
 * belongs to one system.
 */
import type { ActorName } from '../system/actor.ts'
import type { Choice } from '../system/step.ts'

const FORMAT = 'x1'

/** A word that is no token, or is one of another system. */
export class BadToken extends Error {
  override readonly name = 'BadToken'
}

export function tokenOf(names: readonly ActorName[], choices: readonly Choice[]): string {
  const parts: string[] = []
  for (let i = 0; i < choices.length;) {
    const first = choices[i] as Choice
    let count = 1
    while (isAlike(first, choices[i + count])) count++
    const offer = first.offer === 0 ? '' : `o${first.offer}`
    parts.push(`${names.indexOf(first.by)}${first.budget === 1 ? 'b' : 'a'}${count}${offer}`)
    i += count
  }
  return [FORMAT, systemOf(names), ...parts].join('-')
}

const isAlike = (a: Choice, b: Choice | undefined): boolean =>
  b !== undefined && a.by === b.by && a.offer === b.offer && a.budget === b.budget

export function choicesOf(names: readonly ActorName[], token: string): readonly Choice[] {
  const [format, system, ...parts] = token.trim().split('-')
  if (format !== FORMAT) throw new BadToken(`'${token}' is no token of choices; they begin with ${FORMAT}-`)
  if (system !== systemOf(names))
    throw new BadToken(`the token '${token}' was made for a system with other actors than ${names.join(', ')}`)
  return parts.flatMap(part => {
    const [, actor = '', budget, count, offer = '0'] = /^(\d+)([ab])(\d+)(?:o(\d+))?$/.exec(part) ?? []
    const by = names[Number(actor)]
    if (actor === '' || by === undefined) throw new BadToken(`'${part}' in the token '${token}' is no choice; expected one such as 4a21`)
    return Array.from({ length: Number(count) }, () => ({ by, offer: Number(offer), budget: budget === 'a' ? Infinity : 1 }))
  })
}

/** Four digits that the names of a system's actors come to (FNV-1a). */
function systemOf(names: readonly ActorName[]): string {
  let h = 0x811c9dc5
  for (const char of names.join('\n')) h = Math.imul(h ^ (char.codePointAt(0) ?? 0), 0x01000193)
  return ((h >>> 16) ^ (h & 0xffff)).toString(16).padStart(4, '0')
}
