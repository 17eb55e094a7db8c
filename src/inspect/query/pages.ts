/** Which pages a step concerns: those that it changes, calls somebody about or is told of, and those that it works on. */
import { pageAt } from '../../memory/address.ts'
import type { Fact } from '../../memory/facts.ts'
import { isLevel, writes } from '../../memory/writes.ts'
import { agendaOf, contextOf } from '../folded-step.ts'
import type { LinuxSystem } from '../linux.ts'
import type { Taken } from './condition.ts'
import { meets } from './terms.ts'

type Fields = Readonly<Record<string, unknown>>
const fields = (x: unknown): Fields => (typeof x === 'object' && x !== null ? (x as Fields) : {})

/** Does a step concern a page of [from, to]? */
export const pagesAre =
  (system: LinuxSystem, from: number, to: number) =>
  (moment: Taken): boolean => {
    const { facts, calls, event } = moment.step
    return (
      facts.some(fact => factOnPages(fact, from, to)) ||
      calls.some(call => meets(fields(call.event)['start'], fields(call.event)['end'], from, to)) ||
      (typeof event['at'] === 'number' && event['at'] >= from && event['at'] <= to) ||
      worksOn(system, moment, from, to)
    )
  }

/** A table that is put in, or taken out, is no page's own: it stands above many. */
function factOnPages(fact: Fact, from: number, to: number): boolean {
  if (fact[0] === 'vmas') return fact[4].some(v => meets(v.start, v.end, from, to))
  if (fact[4] === 'table') return false
  let found = false
  writes(fact, (part, _, first, end) => {
    if (part === 'tlb') found ||= meets(first, end, from, to)
    else if (isLevel(part)) found ||= meets(pageAt(part, first), pageAt(part, end), from, to)
  })
  return found
}

/** The item of its agenda that an actor takes up, as far as it comes; without one, the statement of its program that it is at. */
function worksOn(system: LinuxSystem, { step, before, world }: Taken, from: number, to: number): boolean {
  const own = contextOf(system, before, step.by)
  const [item] = agendaOf(own)
  if (item !== undefined) return isOn(item, agendaOf(contextOf(system, world, step.by))[0], from, to)
  const { program } = own
  return Array.isArray(program) && isOn(fields(program[0]), undefined, from, to)
}

/** Does an item, of which `left` is what is still to be done, work on a page of [from, to]? */
function isOn(item: Fields, left: Fields | undefined, from: number, to: number): boolean {
  const range = fields(item['range'])
  const { start = range['start'], page, at = page, last = at ?? start } = item
  if (typeof item['old'] === 'number') {
    const [old, place] = [Number(item['from']), Number(item['to'])]
    return meets(old, old + item['old'], from, to) || meets(place, place + Number(item['pages']), from, to)
  }
  const { end = page === undefined ? range['end'] : Number(page) + 1 } = item
  // Of an item that goes on, only what lies behind its cursor is done.
  const reached = left?.['do'] === item['do'] ? (left?.['at'] ?? left?.['last']) : undefined
  const until = typeof reached === 'number' && typeof last === 'number' && reached > last ? reached : end
  return meets(last, until, from, to)
}
