/**
 * Conditions, as a person writes them: where to stop.
 *
 *     by gpu0.range            who acted            do commit               what was done
 *     16 = none                a path, compared with what is shown for it (=, !=, <, <=, >, >=), or alone: it is not 0
 *     changes gpu0.table.16    the step changed it
 *     noStaleDeviceMapping     an oracle finds something wrong (also: breaks noStaleDeviceMapping)
 *     not A   A and B   A or B   ( A )
 */
import type { Oracle } from '../oracles/oracle.ts'
import { ORACLES } from '../oracles/shipped.ts'
import type { Key } from '../log/keys.ts'
import { differs, pathOf } from './path.ts'
import type { LinuxSystem, Run } from './recording.ts'

/** Did step `n` come to where the condition holds? */
export interface Condition {
  readonly text: string
  holds(run: Run, n: number): boolean
  /** Only a block that touches one of these can make it true; undefined: any can. */
  readonly keys: readonly Key[] | undefined
  /** What there is to say where it holds. */
  why?(run: Run, n: number): string | undefined
}

/** A condition that cannot be read: what was expected, and what came. */
export class BadCondition extends Error {
  override readonly name = 'BadCondition'
}

/** What an oracle finds in the world after a step. */
export const finding = (run: Run, oracle: Oracle, n: number): string | undefined =>
  oracle({ names: run.system.actors.map(a => a.name), world: run.world(n) })

export function conditionOf(system: LinuxSystem, text: string): Condition {
  const words = text.match(/"[^"]*"|[()]|[=!<>]=|[<>=]|[^\s()=!<>"]+/g) ?? []
  let at = 0
  const fail = (wanted: string): never => {
    const came = words[at]
    throw new BadCondition(`'${text}': expected ${wanted}, got ${came === undefined ? 'its end' : `'${came}'`}`)
  }
  const next = (wanted: string): string => words[at++] ?? ((at -= 1), fail(wanted))

  function either(): Condition {
    let left = both()
    while (words[at] === 'or') {
      at++
      const [a, b] = [left, both()]
      const keys = a.keys === undefined || b.keys === undefined ? undefined : [...a.keys, ...b.keys]
      left = { text, holds: (run, n) => a.holds(run, n) || b.holds(run, n), keys, why: (run, n) => a.why?.(run, n) ?? b.why?.(run, n) }
    }
    return left
  }
  function both(): Condition {
    let left = one()
    while (words[at] === 'and') {
      at++
      const [a, b] = [left, one()]
      left = {
        text,
        holds: (run, n) => a.holds(run, n) && b.holds(run, n),
        keys: a.keys ?? b.keys,
        why: (run, n) => a.why?.(run, n) ?? b.why?.(run, n),
      }
    }
    return left
  }
  function one(): Condition {
    const word = next('a condition')
    switch (word) {
      case '(': {
        const inner = either()
        if (words[at++] !== ')') {
          at--
          fail("')'")
        }
        return inner
      }
      case 'not': {
        const inner = one()
        return { text, holds: (run, n) => !inner.holds(run, n), keys: undefined }
      }
      case 'by':
      case 'do': {
        const name = next(word === 'by' ? 'an actor' : 'what is done')
        if (word === 'by' && !system.index.has(name)) {
          at--
          fail(`one of the actors ${[...system.index.keys()].join(', ')}`)
        }
        return { text, holds: (run, n) => run.record(n)[word] === name, keys: [{ in: word, name }] }
      }
      case 'changes': {
        const path = pathOf(system, next('a path'))
        return { text, holds: (run, n) => differs(path, run.world(n - 1), run.world(n)), keys: path.keys }
      }
      case 'breaks':
        return broken(next('an oracle'))
      default:
        return Object.hasOwn(ORACLES, word) ? broken(word) : compared(word)
    }
  }
  function broken(name: string): Condition {
    const oracle = Object.hasOwn(ORACLES, name) ? ORACLES[name] : undefined
    if (oracle === undefined) {
      at--
      return fail(`an oracle: ${Object.keys(ORACLES).join(', ')}`)
    }
    return {
      text,
      holds: (run, n) => finding(run, oracle, n) !== undefined,
      keys: undefined,
      why: (run, n) => finding(run, oracle, n),
    }
  }
  function compared(word: string): Condition {
    const path = pathOf(system, word)
    const operator = words[at]
    if (operator === undefined || !/^([=!<>]=|[<>=])$/.test(operator)) {
      return { text, holds: (run, n) => isSomething(path.read(run.world(n))), keys: undefined }
    }
    at++
    const wanted = next('a value').replace(/^"|"$/g, '')
    const holds = COMPARED[operator] ?? (() => false)
    return {
      text,
      holds: (run, n) => {
        const world = run.world(n)
        const value = path.read(world)
        const shown = path.show(world).replace(/^"|"$/g, '')
        return holds(
          typeof value === 'number' && /^-?\d+$/.test(wanted)
            ? Math.sign(value - Number(wanted))
            : shown === wanted || String(value) === wanted
              ? 0
              : shown < wanted
                ? -1
                : 1,
        )
      },
      keys: undefined,
    }
  }

  const condition = either()
  if (at < words.length) fail("'and', 'or' or the end")
  return condition
}

const isSomething = (value: unknown): boolean => value !== undefined && value !== null && value !== 0 && value !== false && value !== ''

const COMPARED: Readonly<Record<string, (order: number) => boolean>> = {
  '=': order => order === 0,
  '==': order => order === 0,
  '!=': order => order !== 0,
  '<': order => order < 0,
  '<=': order => order <= 0,
  '>': order => order > 0,
  '>=': order => order >= 0,
}
