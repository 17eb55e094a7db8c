/** Commands of the debugger that make branches and go on in them. */
import { profileNames } from '../../kernel/profiles.ts'
import { Branch, CannotTake, compareFrom, withStatement } from '../../inspect/branch.ts'
import { byOracles } from '../../inspect/diff/judge.ts'
import { compareRelated, type Side } from '../../inspect/diff/related.ts'
import { stepLine } from '../../inspect/draw.ts'
import { possibleIn } from '../../inspect/waiting.ts'
import type { LinuxWorld } from '../../inspect/linux.ts'
import { linuxSystem, profileOf, RANGE_MACHINES, type SystemSpec } from '../../scenario/standard.ts'
import { differenceLines } from '../difference.ts'
import { countOf, type Command } from './command.ts'
import { Mistake, TRUNK, type Line, type Session } from './session.ts'
import { statementOf } from './statements.ts'

const specOf = ({ run }: Session): SystemSpec => run.header.system as SystemSpec

/** `NAME [profile P]`: a branch that leaves the run here. */
function branch(session: Session, rest: string): readonly string[] {
  const match = /^([\w-]+)(?:\s+profile\s+(\S+))?$/.exec(rest)
  const [, name = '', profile] = match ?? []
  if (match === null || name === TRUNK) throw new Mistake(`expected the name of a branch, and maybe 'profile P', got '${rest}'`)
  if (session.lines.some(line => line.name === name)) throw new Mistake(`there is a branch '${name}' already`)
  const spec = profile === undefined ? specOf(session) : { ...specOf(session), profile: known(profile) }
  leave(session, name, session.cursor.world, spec, profile === undefined ? [] : [`the kernel is ${profile}`])
  return [...here(session, name), ...(profile === undefined ? [] : kept(specOf(session).profile, profile, session))]
}

function known(profile: string): string {
  if (!profileNames.includes(profile)) throw new Mistake(`no kernel profile '${profile}'; there are ${profileNames.join(', ')}`)
  return profile
}

/** Actors stay the machines that they are: what another release has instead is not put in their place. */
function kept(_: string, profile: string, { here: line }: Session): readonly string[] {
  const before = (line.branch?.trunk ?? line.run).header.system as SystemSpec
  return RANGE_MACHINES[profileOf(before.profile).rangeValidity].range === RANGE_MACHINES[profileOf(profile).rangeValidity].range
    ? []
    : [
        `? a driver of ${profile} would be another machine: the ranges here stay those of ${before.profile}. Run the scenario under ${profile} for that.`,
      ]
}

function leave(session: Session, name: string, world: LinuxWorld, spec: SystemSpec, changed: readonly string[]): void {
  const { run, cursor, log, here: line } = session
  const of = line.name === TRUNK ? {} : { of: line.name }
  const made = new Branch(run, cursor.n, world, { name, ...of, trunk: log.id, system: linuxSystem(spec), spec, changed })
  session.branchOff(made)
  session.save()
}

const here = (session: Session, name: string): readonly string[] => [
  `branch ${name}, which leaves at step ${session.branch().first}`,
  ...possible(session),
]

/** Who can act at the end of the branch, and who cannot. */
function possible({ run, system }: Session): readonly string[] {
  const all = possibleIn(system, run.world(run.last))
  if (all.length === 0) return ['  everybody is at rest']
  return all.map(p => {
    const what = `  ${p.choice.by}${p.choice.offer === 0 ? '' : ` (offer ${p.choice.offer})`}: ${p.do.replaceAll('_', ' ')}`
    return p.blockedOn === undefined ? what : `${what}: has to wait, ${p.blockedOn.to} does not take ${p.blockedOn.type}`
  })
}

/** `ACTOR [N]`: this actor acts next. */
function take(session: Session, rest: string): readonly string[] {
  const [by = '', count = ''] = rest.split(/\s+/)
  const made = session.branch()
  session.actor(by)
  const from = made.last
  try {
    for (let left = countOf(count); left > 0; left--) made.take(by)
  } catch (error) {
    // What was taken before it could not go on is told all the same.
    if (!(error instanceof CannotTake) || made.last === from) throw error
    return [...wentOn(session, from), `* ${error.message}`]
  }
  return wentOn(session, from)
}

/** Steps that `run` takes unless it is told otherwise. */
const RUN_STEPS = 100_000

/** `[N]` or `ACTOR`: everybody in turn, or one alone as far as it can. */
function run(session: Session, rest: string): readonly string[] {
  const made = session.branch()
  const from = made.last
  const alone = session.system.index.has(rest) ? rest : undefined
  made.run(alone !== undefined || rest === '' ? RUN_STEPS : countOf(rest), alone)
  return wentOn(session, from)
}

/** Steps that are told one by one. */
const TOLD = 20

function wentOn(session: Session, from: number): readonly string[] {
  const { run: made } = session
  session.save()
  const steps = Array.from({ length: Math.min(TOLD, made.last - from) }, (_, i) => stepLine(made, from + 1 + i))
  const more = made.last - from - steps.length
  const stop = session.cursor.goto('end')
  const ended = made.ended === 'at rest' ? ['* everybody is at rest'] : made.ended === 'blocked' ? ['* nobody can go on'] : []
  return [...steps, ...(more > 0 ? [`… ${more} more`, ...session.told(stop)] : []), ...ended]
}

/** `ACTOR CALL PAGES …`: the actor does this next; in a branch of its own, unless a branch begins here. */
function doCommand(session: Session, rest: string): readonly string[] {
  const [by = '', ...words] = rest.split(/\s+/)
  const made = session.branch()
  const begun = made.world(made.first)
  if (made.last > made.first) throw new Mistake('only the beginning of a branch can be changed: branch NAME leaves it here')
  const { mm } = (session.system.index.has(by) ? (begun.actors[session.system.index.get(by) ?? 0]?.context ?? {}) : {}) as {
    readonly mm?: string
  }
  if (mm === undefined) throw new Mistake(`expected a thread, got '${by}'`)
  const world = withStatement(session.system, begun, by, statementOf(mm, words))
  const { trunk, name, header } = made
  const changed = [...(header.from?.changed ?? []), `${by}: ${words.join(' ')}`]
  session.branchOff(
    new Branch(trunk, made.first, world, {
      name,
      ...(header.from?.of === undefined ? {} : { of: header.from.of }),
      trunk: header.from?.trunk ?? '',
      system: made.system,
      spec: header.system,
      changed,
    }),
  )
  session.save()
  return [`${by} is to ${words.join(' ')}`, ...possible(session)]
}

/** The tree of branches: each below what it leaves. */
function branches(session: Session): readonly string[] {
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
  return [told(session.line(TRUNK), ''), ...below(TRUNK, '')]
}

function switchTo(session: Session, rest: string): readonly string[] {
  session.switchTo(rest)
  return [...branches(session), stepLine(session.run, session.cursor.n)]
}

/** `[NAME]`: how the run that is looked at differs from another: from the trunk, unless one is named. */
function compare(session: Session, rest: string): readonly string[] {
  const other = session.line(rest === '' ? TRUNK : rest)
  const { here, log } = session
  if (other === here) throw new Mistake(`that is this run itself; expected another: ${session.lines.map(l => l.name).join(', ')}`)
  const side = ({ run }: Line): Side => ({ run, trunk: log.id })
  return [...parting(session, other), ...differenceLines(compareRelated(side(here), side(other), byOracles), [here.name, other.name])]
}

/** The first step that is not the same in both; whoever leaves first, up to there they are one run. */
function parting(session: Session, other: Line): readonly string[] {
  const n = Math.min(...[session.here, other].flatMap(line => session.originOf(line)?.step ?? []))
  const { here: mine, there } = compareFrom(session.run, other.run, n)
  if (mine === undefined && there === undefined) return []
  const step = (of: Line, at: number | undefined): string => `  ${of.name}: ${at === undefined ? 'is over' : stepLine(of.run, at)}`
  return ['they part at', step(session.here, mine), step(other, there)]
}

export const branchCommands: readonly Command[] = [
  { names: ['branch'], args: 'NAME [profile P]', help: 'leave the run here, and choose yourself what follows', run: branch },
  { names: ['take', 't'], args: 'ACTOR [N]', help: 'in a branch: this actor acts next', run: take },
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
