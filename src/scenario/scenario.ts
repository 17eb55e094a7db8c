/**
 * Building a scenario: a function that builds data once, in order, and cannot branch on results. What comes of it is a
 * system, a plan of who may act when, and what must hold.
 */
import type { Failure } from '../kernel/failure.ts'
import { lacksFor } from '../kernel/configuration.ts'
import { DEFAULT_PROFILE, type Profile } from '../kernel/profiles.ts'
import { isAccess, type DeviceStatement } from '../kernel/device-access.ts'
import type { Statement } from '../kernel/thread.ts'
import { page, PAGE_LIMIT, type Pages } from '../memory/address.ts'
import type { MmName } from '../memory/memory.ts'
import { handlerOf, hmmOf, mirrorName, snapshotOf, timeoutOf, workerOf } from '../kernel/names.ts'
import type { ActorName } from '../system/actor.ts'
import type {
  Built,
  Device,
  DeviceOptions,
  Expect,
  Expectation,
  Linux,
  Race,
  Scenario,
  ScenarioContext,
  StatementRef,
  Thread,
  Until,
} from './api.ts'
import { notShownBy, type Exhibit } from './exhibit.ts'
import type { MirrorDriver } from './drivers.ts'
import { deviceActors, deviceOf, programmed, subscribers, type Programmed } from './devices.ts'
import { given, inWords, type Given, type Values } from './parameters.ts'
import type { Goal, Stage } from './plan.ts'
import { endedEarly } from './ended.ts'
import { inBrief } from './brief.ts'
import { threadOf, type Writing } from './threads.ts'
import { mmActors, profileOf, RANGE_MACHINES, type ActorSpec, type SystemSpec } from './standard.ts'

/** A scenario that cannot be built: what was written, and what was expected. */
export class BadScenario extends Error {
  override readonly name = 'BadScenario'
}

export interface ScenarioOptions<P extends Values = Values> {
  readonly profiles?: readonly string[]
  readonly variants?: readonly string[]
  /** The order of events that `run` takes, as a token that exploring has given. */
  readonly order?: string
  /** It shows a bug: it is told on the kernel that has it, and on the one that does not. */
  readonly exhibit?: Exhibit
  /** What it can be made with (`parameters: { devices: 1 }`), and the values that are meant if none are asked for. */
  readonly parameters?: P
}

export function scenario<P extends Values>(
  title: string,
  build: (context: ScenarioContext<P>) => void,
  options: ScenarioOptions<P> = {},
): Scenario {
  const parameters: Values = options.parameters ?? {}
  const { exhibit, order, profiles = exhibit === undefined ? [DEFAULT_PROFILE] : [exhibit.wrong, exhibit.right], variants = [''] } = options
  const lack = exhibit === undefined ? undefined : notShownBy(exhibit, variants)
  if (lack !== undefined) throw new BadScenario(`scenario '${title}' is no exhibit: ${lack}`)
  return {
    title,
    profiles,
    variants,
    parameters,
    ...(exhibit === undefined ? {} : { exhibit }),
    build(profile = profiles[0] ?? DEFAULT_PROFILE, variant = variants[0] ?? '', asked = {}) {
      if (!variants.includes(variant)) {
        const named = variants.filter(name => name !== '')
        throw new BadScenario(`scenario '${title}' has no variant '${variant}'; it has ${named.join(', ') || 'none'}`)
      }
      const values = given(parameters, asked)
      if (typeof values === 'string') throw new BadScenario(`scenario '${title}' ${values}`)
      const told = [title, ...(Object.keys(asked).length === 0 ? [] : [inWords(asked)])].join(', ')
      // They are of the kinds that it has named, which is all that its builder knows of them.
      const built = new Builder(told, profile, variant).built(context => build({ ...context, parameters: values as Given<P> }))
      return order === undefined ? built : { ...built, order }
    },
  }
}

/** What a thread is to run, and for which process; the first thread of a child waits to be forked. */
interface Program {
  readonly mm: MmName
  readonly child: boolean
  readonly statements: Statement[]
}

const MM = 'mm0'
/** Room between mappings that were given no place. */
const GAP = 16

class Builder implements Writing {
  readonly #title: string
  readonly #asked: string
  readonly #variant: string
  #profile: Profile | undefined
  readonly #programs = new Map<ActorName, Program>()
  #mms: readonly MmName[] = [MM]
  /** The machines of the test driver's files. */
  readonly #mirrors: string[] = []
  readonly #devices = new Map<ActorName, Programmed>()
  readonly #expectations: Expectation[] = []
  readonly #stages: { members: StatementRef[]; order: (StatementRef | Until)[] }[] = []
  #free = GAP

  constructor(title: string, profile: string, variant: string) {
    this.#title = variant === '' ? title : `${title} (${variant})`
    this.#asked = profile
    this.#variant = variant
  }

  built(build: (context: Omit<ScenarioContext, 'parameters'>) => void): Built {
    build({ linux: profile => this.#linux(profile ?? this.#asked), expect: this.#expect(), variant: this.#variant })
    if (this.#profile === undefined) throw new BadScenario(`scenario '${this.#title}' has no machine: call linux() in it`)
    const early = endedEarly(this.#stages, this.#programs, ref => this.#told(ref))
    if (early !== undefined) throw new BadScenario(`scenario '${this.#title}': ${early}`)
    return {
      title: this.#title,
      system: this.#spec(this.#profile),
      plan: this.#stages.map(s => this.#stage(s)),
      expectations: this.#expectations,
    }
  }

  #linux(name: string): Linux {
    if (this.#profile !== undefined) throw new BadScenario(`scenario '${this.#title}' calls linux() twice; it has one machine`)
    const profile = profileOf(name)
    this.#profile = profile
    return {
      profile,
      thread: (name = `cpu${this.#programs.size}`) => this.#thread(name),
      device: (name = `gpu${this.#devices.size}`, options = {}) => this.#device(name, profile, options),
      race: (...branches) => this.#race(branches.flat()),
    }
  }

  #name(name: ActorName): void {
    if (this.#programs.has(name) || this.#devices.has(name))
      throw new BadScenario(`two actors of scenario '${this.#title}' are called '${name}'`)
  }

  #thread(name: ActorName): Thread {
    this.#name(name)
    return this.#threadOf(name, MM, false)
  }

  #threadOf(name: ActorName, mm: MmName, child: boolean): Thread {
    const program: Program = { mm, child, statements: [] }
    this.#programs.set(name, program)
    return threadOf(this, name, mm, this.#profile ?? profileOf(this.#asked))
  }

  add(by: ActorName, statement: Statement): StatementRef {
    const statements = this.#programs.get(by)?.statements
    if (statements === undefined) throw new BadScenario(`scenario '${this.#title}' has no thread '${by}'`)
    this.#mayRun(statement)
    return this.#add({ by, index: statements.push(statement) - 1 })
  }

  /** A scenario that needs what its kernel was built without is told so at once. */
  #mayRun(statement: Statement): void {
    const lack = statement.do === 'open' && this.#profile !== undefined ? lacksFor(statement.kind, this.#profile) : undefined
    if (lack !== undefined) throw new BadScenario(`scenario '${this.#title}' cannot run: ${lack}`)
  }

  place(pages: number, at: number | undefined): Pages {
    return this.#place(pages, at)
  }

  child(): { readonly mm: MmName; readonly thread: Thread } {
    const mm = `mm${this.#mms.length}`
    this.#mms = [...this.#mms, mm]
    return { mm, thread: this.#threadOf(`${mm}.cpu0`, mm, true) }
  }

  mirror(driver: MirrorDriver | undefined): ActorName {
    return mirrorName(this.#mirrors.push(driver?.mirror ?? 'dmirror') - 1)
  }

  /** What the kernel cannot do is refused, with the reason. */
  needs(able: boolean, what: string): void {
    if (!able) throw new BadScenario(`scenario '${this.#title}' cannot be built for ${this.#profile?.name ?? this.#asked}: ${what}`)
  }

  #device(name: ActorName, profile: Profile, options: DeviceOptions): Device {
    this.needs(profile.hasHmm, 'it has no HMM, and so no device that mirrors a process; v4.14 is the first that has')
    this.#name(name)
    const device = programmed(profile, options)
    if (typeof device === 'string') throw new BadScenario(`scenario '${this.#title}', ${name}: ${device}`)
    this.#devices.set(name, device)
    const add = (statement: DeviceStatement): StatementRef => this.#add({ by: handlerOf(name), index: device.program.push(statement) - 1 })
    return deviceOf(name, device.timeout, add, () => {
      const { mapsDma } = profile
      if (mapsDma === 'no')
        throw new BadScenario(`scenario '${this.#title}': ${profile.name} has no hmm_range_dma_map() or hmm_dma_map_pfn()`)
      return mapsDma
    })
  }

  /** Each statement is a stage of its own, until a race takes it. */
  #add<S extends StatementRef>(statement: S): S {
    this.#stages.push({ members: [statement], order: [] })
    return statement
  }

  #place(pages: number, at: number | undefined): Pages {
    if (!Number.isInteger(pages) || pages < 1)
      throw new BadScenario(`scenario '${this.#title}': expected a whole number of pages to map, got ${pages}`)
    const start = at ?? this.#free
    if (!Number.isInteger(start) || start < 0 || start + pages > PAGE_LIMIT)
      throw new BadScenario(
        `scenario '${this.#title}': page ${start} is no place to map ${pages} pages; pages reach from 0 to ${PAGE_LIMIT}`,
      )
    this.#free = Math.max(this.#free, start + pages + GAP)
    return { start: page(start), end: page(start + pages) }
  }

  #race(members: readonly StatementRef[]): Race {
    const last = this.#stages.slice(-members.length)
    const isMember = (s: StatementRef): boolean => members.some(m => m.by === s.by && m.index === s.index)
    if (members.length === 0 || !last.every(stage => stage.order.length === 0 && stage.members.every(isMember))) {
      throw new BadScenario(
        `scenario '${this.#title}': race() takes the statements just made, and all that were made since the first of them`,
      )
    }
    this.#stages.splice(-members.length)
    const stage = { members: [...members], order: [] as (StatementRef | Until)[] }
    this.#stages.push(stage)
    return { order: (...steps) => void stage.order.push(...steps) }
  }

  #stage({ members, order }: { readonly members: readonly StatementRef[]; readonly order: readonly (StatementRef | Until)[] }): Stage {
    const goals = [...new Set(members.map(m => m.by))].map(by => this.#goal(members.findLast(m => m.by === by) as StatementRef))
    return {
      goals,
      order: order.map(step => ('statement' in step ? { ...this.#goal(step.statement), state: step.state } : this.#goal(step))),
    }
  }

  /** A statement is done when those behind it are left. */
  #goal({ by, index }: StatementRef): Goal {
    const length =
      this.#programs.get(by)?.statements.length ?? [...this.#devices].find(([name]) => handlerOf(name) === by)?.[1].program.length ?? 0
    const helpers = [...this.#devices].flatMap(([name, { driver, timeout }]) =>
      handlerOf(name) !== by ? [] : [...(driver?.hasWorker === true ? [workerOf(name)] : []), ...(timeout ? [timeoutOf(name)] : [])],
    )
    return { by, left: length - index - 1, ...(helpers.length === 0 ? {} : { helpers }) }
  }

  /** A statement as a person finds it: whose, which of his, and what it is. */
  #told({ by, index }: StatementRef): string {
    const what = this.#programs.get(by)?.statements[index]?.do ?? this.#toldOf(by, index)
    return `${by}, ${index + 1}: ${what === 'load' ? 'read' : what === 'store' ? 'write' : what}`
  }

  #toldOf(by: ActorName, index: number): string {
    const statement = [...this.#devices].find(([name]) => handlerOf(name) === by)?.[1].program[index]
    if (isAccess(statement)) return statement.access
    return statement?.dma !== undefined ? 'dmaMap' : statement?.snapshot === true ? 'snapshot' : 'fault'
  }

  #expect(): Expect {
    const add = (expectation: Expectation): void => void this.#expectations.push(expectation)
    return {
      always: (name, oracle) => add({ kind: 'always', name, oracle }),
      violated: (name, oracle) => add({ kind: 'violated', name, oracle }),
      sometimes: (name, holds) => add({ kind: 'sometimes', name, holds }),
      eventually: (name, holds) => add({ kind: 'eventually', name, holds }),
      finally: (name, holds) => add({ kind: 'finally', name, holds }),
      returns: (statement, value) =>
        add({
          kind: 'returns',
          name: `${this.#told(statement)} answers ${inBrief(value)}`,
          statement,
          value: value as Failure,
        }),
      answers: (statement, wanted) => {
        const what = typeof wanted === 'function' ? 'as it must' : inBrief(wanted)
        add({ kind: 'answers', name: `${this.#told(statement)} answers ${what}`, statement, wanted })
      },
    }
  }

  #spec(profile: Profile): SystemSpec {
    const devices = [...this.#devices]
    const { hmm: machine } = RANGE_MACHINES[profile.rangeValidity]
    const mirrors = devices.flatMap(([name, { notifier }]) => (notifier === 'hmm_mirror' ? [name] : []))
    const hmm: readonly ActorSpec[] = machine === null || mirrors.length === 0 ? [] : [{ name: hmmOf(MM), machine, input: { mirrors } }]
    const { itree, plain } = subscribers(this.#devices)
    const list = [...hmm.map(({ name }) => name), ...plain]
    const actors: readonly ActorSpec[] = [
      ...this.#mms.flatMap(mm =>
        mmActors(
          mm,
          mm !== MM
            ? {}
            : { ...(itree.length > 0 || machine === null ? { itree } : {}), ...(machine === null && plain.length === 0 ? {} : { list }) },
        ),
      ),
      ...hmm,
      ...[...this.#programs].map(([name, { mm, child, statements }]) => ({
        name,
        machine: child ? 'child_thread' : 'thread',
        input: { mm, program: statements },
      })),
      ...this.#mirrors.flatMap((mirror, n): readonly ActorSpec[] => [
        { name: mirrorName(n), machine: mirror, input: {} },
        { name: snapshotOf(mirrorName(n)), machine: 'interval_notifier', input: {} },
      ]),
      ...devices.flatMap(([name, device]) => deviceActors(MM, name, device, profile)),
    ]
    return { profile: profile.name, mms: [MM], actors }
  }
}
