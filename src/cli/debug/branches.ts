/** Commands of the debugger that make branches and go on in them. */
import { Branch, CannotTake, comparing, withStatement } from '../../inspect/branch.ts'
import { byOracles } from '../../inspect/diff/judge.ts'
import { beginnings, compareRelated, MOST_COMPARED, type Side } from '../../inspect/diff/related.ts'
import { stepLine } from '../../inspect/draw.ts'
import { describeStep } from '../../inspect/folded-step.ts'
import type { LinuxWorld } from '../../inspect/linux.ts'
import { partedSteps } from '../../inspect/parting.ts'
import { possibleIn } from '../../inspect/waiting.ts'
import { kernelNamed } from '../../kernel/configuration.ts'
import { linuxSystem, profileOf, RANGE_MACHINES, type SystemSpec } from '../../scenario/standard.ts'
import { differenceLines } from '../difference.ts'
import { TRUNK } from '../open.ts'
import { plural } from '../output.ts'
import { countOf, type Command, type Saying } from './command.ts'
import { Mistake } from './mistake.ts'
import type { Line, Session } from './session.ts'
import { statementOf } from './statements.ts'

/** `NAME [profile P]`: a branch that leaves the run here. */
function branch(session: Session, rest: string): readonly string[] {
  const [, name = '', wanted] = /^(\S+)(?:\s+profile\s+(\S+))?$/.exec(rest) ?? []
  if (name === '') throw new Mistake(`expected the name of a branch, and maybe 'profile P', got '${rest}'`)
  session.freeName(name)
  const profile = wanted === undefined ? undefined : known(wanted)
  const { cursor, log, left: line } = session
  const { run } = line
  const before = (run.owner?.(cursor.n) ?? run).header.system as SystemSpec
  const spec = profile === undefined ? before : { ...before, profile }
  const of = line.name === TRUNK ? {} : { of: line.name }
  const changed = profile === undefined ? [] : [`the kernel is ${profile}`]
  const made = new Branch(run, cursor.n, cursor.world, { name, ...of, trunk: log.id, system: linuxSystem(spec), spec, changed })
  const unkept = session.branchOff(name, made)
  const still = profile === undefined ? [] : kept(before.profile, profile)
  return [`branch ${name}, which leaves at step ${made.first}`, ...possible(session), ...still, ...unkept]
}

function known(profile: string): string {
  const kernel = kernelNamed(profile)
  if (typeof kernel === 'string') throw new Mistake(kernel)
  return kernel.name
}

/** Actors stay the machines that they are: what another release has instead is not put in their place. */
const kept = (before: string, profile: string): readonly string[] =>
  RANGE_MACHINES[profileOf(before).rangeValidity].range === RANGE_MACHINES[profileOf(profile).rangeValidity].range
    ? []
    : [
        `? a driver of ${profile} would be another machine: the ranges here stay those of ${before}. Run the scenario under ${profile} for that.`,
      ]

/** Who can act at the end of the branch, and who cannot. */
function possible({ run, system }: Session): readonly string[] {
  const all = possibleIn(system, run.world(run.last))
  if (all.length === 0) return ['  everybody is at rest']
  return all.map(p => {
    const what = `  ${p.choice.by}${p.choice.offer === 0 ? '' : ` (offer ${p.choice.offer})`}: ${p.do.replaceAll('_', ' ')}`
    if (p.blockedOn === undefined) return what
    const { to, type, what: held } = p.blockedOn
    return `${what}: has to wait${held === undefined ? `, ${to} does not take ${type}` : ` for ${held}`}`
  })
}

const TAKE = /^(\S+)(?:\s+(\d+))?(?:\s+offer\s+(\d+))?(?:\s+pages\s+(\d+|all))?$/

/** `ACTOR [N] [offer K] [pages B]`: this actor acts next, N times; which of its offers it takes, and how far that goes. */
function* take(session: Session, rest: string): Saying {
  const [, by, count = '', offer = '0', pages = '1'] = TAKE.exec(rest) ?? []
  if (by === undefined) throw new Mistake(`expected ACTOR [N] [offer K] [pages B], got '${rest}'`)
  session.actor(by)
  const budget = pages === 'all' ? Infinity : countOf(pages)
  const made = yield* session.goingOn()
  const from = made.last
  return yield* wentOn(session, from, function* () {
    for (let left = countOf(count); left > 0; left--) {
      made.take(by, Number(offer), budget)
      if (left % STRIDE === 0 && (yield made.last)) return
    }
  })
}
const STRIDE = 1_000

/** Steps that `run` takes unless it is told otherwise. */
const RUN_STEPS = 100_000

/** `[N]` or `ACTOR`: everybody in turn, or one alone as far as it can. */
function* run(session: Session, rest: string): Saying {
  const alone = session.system.index.has(rest) ? rest : undefined
  const steps = alone !== undefined || rest === '' ? RUN_STEPS : countOf(rest)
  const made = yield* session.goingOn()
  const from = made.last
  return yield* wentOn(session, from, () => made.running(steps, alone))
}

/** Steps that are told one by one. */
const TOLD = 20

/** Goes on, and tells how far it came; what was taken before it could not go on, or was stopped, is kept all the same. */
function* wentOn(session: Session, from: number, going: () => Generator<number, unknown, boolean>): Saying {
  const { run: made } = session
  let cannot: string | undefined
  try {
    const steps = going()
    for (let stop = false; ;) {
      const { done, value } = steps.next(stop)
      if (done === true) {
        if (stop) cannot = 'stopped here'
        break
      }
      stop = yield `step ${value.toLocaleString('en')}`
    }
  } catch (error) {
    if (!(error instanceof CannotTake) || made.last === from) throw error
    cannot = error.message
  }
  const unkept = made.last === from ? [] : session.save()
  const steps = Array.from({ length: Math.min(TOLD, made.last - from) }, (_, i) => stepLine(made, from + 1 + i))
  const more = made.last - from - steps.length
  const stop = session.cursor.goto('end')
  const ended = made.ended === 'at rest' ? ['* everybody is at rest'] : made.ended === 'blocked' ? ['* nobody can go on'] : []
  return [
    ...steps,
    ...(more > 0 ? [`… ${more} more`, ...session.told(stop)] : []),
    ...ended,
    ...(cannot === undefined ? [] : [`* ${cannot}`]),
    ...unkept,
  ]
}

/** `ACTOR CALL PAGES …`: the actor does this next, behind what it was given before; at the beginning of a branch. */
function* doCommand(session: Session, rest: string): Saying {
  const [by = '', ...words] = rest.split(/\s+/)
  session.actor(by)
  const { here, run: whole, spec } = session
  if (here.name !== TRUNK && whole.last > (session.originOf(here)?.step ?? 0))
    throw new Mistake('only the beginning of a branch can be changed: branch NAME leaves it here')
  session.lookBeside()
  const child = session.lines.find(line => line.name !== TRUNK && session.originOf(line)?.of === here.name)
  if (child !== undefined)
    throw new Mistake(
      `branch '${child.name}' leaves ${here.name} as it begins here, and would not have what is changed now: branch NAME leaves it here, too, and can be changed`,
    )
  const made = yield* session.goingOn()
  const begun = made.world(made.first)
  const { mm = '' } = contextIn(session, begun, by)
  const statement = statementOf(spec, by, mm, words)
  const given = programIn(session, begun, by) - programIn(session, made.trunk.world(made.first), by)
  const world = withStatement(session.system, begun, by, statement, given)
  const { trunk, header } = made
  const changed = [...(header.from?.changed ?? []), `${by}: ${words.join(' ')}`]
  const of = header.from?.of === undefined ? {} : { of: header.from.of }
  const changedOne = { name: here.name, ...of, trunk: header.from?.trunk ?? '', system: made.system, spec: header.system, changed }
  const unkept = session.branchOff(here.name, new Branch(trunk, made.first, world, changedOne))
  return [`${by} is to ${words.join(' ')}`, ...possible(session), ...unkept]
}

const contextIn = ({ system }: Session, world: LinuxWorld, by: string): { readonly mm?: string; readonly program?: readonly object[] } =>
  world.actors[system.index.get(by) ?? -1]?.context ?? {}
const programIn = (session: Session, world: LinuxWorld, by: string): number => contextIn(session, world, by).program?.length ?? 0

/** The tree of branches: each below what it leaves; and those that could not be opened. */
function branches(session: Session): readonly string[] {
  session.lookBeside()
  const told = (line: Line, tree: string): string => {
    const { step, changed = [] } = session.originOf(line) ?? {}
    const from = step === undefined ? '' : ` leaves at ${step},`
    return `${line === session.here ? '*' : ' '} ${tree}${line.name}:${from} to step ${[line.run.last, ...changed].join('; ')}`
  }
  const below = (name: string, tree: string): readonly string[] =>
    session.lines
      .filter(line => line.name !== TRUNK && (session.originOf(line)?.of ?? TRUNK) === name)
      .flatMap((line, i, all) => {
        const isLast = i === all.length - 1
        return [told(line, `${tree}${isLast ? '└─' : '├─'} `), ...below(line.name, `${tree}${isLast ? '  ' : '│ '} `)]
      })
  const closed = session.closed.map(([name, why]) => `  ${name}: cannot be opened: ${why}`)
  return [told(session.line(TRUNK), ''), ...below(TRUNK, ''), ...closed]
}

function switchTo(session: Session, rest: string): readonly string[] {
  session.switchTo(rest)
  return [...branches(session), stepLine(session.run, session.cursor.n)]
}

/** `[NAME]`: how the run that is looked at differs from another: from the trunk, unless one is named. */
function* compare(session: Session, rest: string): Saying {
  const other = session.line(rest === '' ? TRUNK : rest)
  const { here, log } = session
  if (other === here) throw new Mistake(`that is this run itself; expected another: ${session.lines.map(l => l.name).join(', ')}`)
  const side = ({ run: of }: Line): Side => ({ run: of, trunk: log.id })
  const [begin] = beginnings(side(here), side(other))
  const longest = Math.max(here.run.last, other.run.last) - begin
  if (longest > MOST_COMPARED)
    throw new Mistake(
      `there are ${plural(longest, 'step')} behind where they part, more than can be compared: ${plural(MOST_COMPARED, 'step')}`,
    )
  const parted = comparing(here.run, other.run, begin)
  for (let stop = false; ;) {
    const { done, value } = parted.next(stop)
    if (done !== true) stop = yield `compares step ${value.toLocaleString('en')}`
    else if (value === undefined) return ['* stopped here: where they part may come later']
    else {
      const related = compareRelated(side(here), side(other), byOracles)
      // Of two systems, the first place at which they part is all that can be said.
      return [
        ...parting([here, value.here], [other, value.there]),
        ...differenceLines(related, [here.name, other.name], related.apart === undefined),
      ]
    }
  }
}

type Parted = readonly [line: Line, at: number | undefined]

/** The first step that is not the same in both. */
function parting([a, n]: Parted, [b, m]: Parted): readonly string[] {
  if (n === undefined && m === undefined) return []
  const step = (of: Line, at: number | undefined, more: string): string =>
    `  ${of.name}: ${at === undefined ? 'is over' : stepLine(of.run, at)}${more}`
  const [one, other] =
    n === undefined || m === undefined || textAt(a.run, n) !== textAt(b.run, m)
      ? ['', '']
      : partedSteps(a.run, n, b.run, m).map(more => `; ${more}`)
  return ['they part at', step(a, n, one ?? ''), step(b, m, other ?? '')]
}

const textAt = (run: Line['run'], n: number): string => describeStep(run, n).text + run.record(n).by

export const branchCommands: readonly Command[] = [
  { names: ['branch'], args: 'NAME [profile P]', help: 'leave the run here, and choose yourself what follows', run: branch },
  {
    names: ['take', 't'],
    args: 'ACTOR [N] [offer K] [pages B]',
    help: 'in a branch: this actor acts next; which of its offers, and how far (B, or all)',
    run: take,
  },
  { names: ['do'], args: 'THREAD CALL PAGES [ARG]', help: 'at the beginning of a branch: a thread does this next', run: doCommand },
  { names: ['run', 'r'], args: '[N | ACTOR]', help: 'in a branch: all in turn, or one alone', run },
  { names: ['can'], args: '', help: 'who can act at the end, and who has to wait', run: possible },
  { names: ['branches'], args: '', help: 'the branches there are', run: branches },
  { names: ['switch'], args: 'NAME', help: 'look at another branch, or at the trunk', run: switchTo },
  {
    names: ['compare'],
    args: '[NAME]',
    help: 'where this run and another part, what each comes to, and which order makes the difference',
    run: compare,
  },
]
