/**
 * Building a scenario: a function that builds data once, in order, and cannot branch on results. What comes of it is a
 * system, a plan of who may act when, and what must hold.
 */
import type { Failure } from '../kernel/failure.ts'
import { DEFAULT_PROFILE, type Profile } from '../kernel/profiles.ts'
import type { DeviceFault } from '../kernel/range.ts'
import type { Statement } from '../kernel/thread.ts'
import { page, PAGE_LIMIT, type Pages } from '../memory/address.ts'
import type { MmName } from '../memory/memory.ts'
import { hmmOf, mirrorName, snapshotOf } from '../kernel/names.ts'
import { Table } from '../memory/table.ts'
import type { ActorName } from '../system/actor.ts'
import { HMM_PFN_VALID, HMM_PFN_WRITE } from '../walker/hmm.ts'
import type { Built, Device, Expect, Expectation, Linux, Race, Scenario, ScenarioContext, StatementRef, Thread, Until } from './api.ts'
import type { Goal, Stage } from './plan.ts'
import { inBrief } from './brief.ts'
import { threadOf, type Writing } from './threads.ts'
import { mmActors, profileOf, RANGE_MACHINES, type ActorSpec, type SystemSpec } from './standard.ts'

/** A scenario that cannot be built: what was written, and what was expected. */
export class BadScenario extends Error {
  override readonly name = 'BadScenario'
}

export interface ScenarioOptions {
  readonly profiles?: readonly string[]
  readonly variants?: readonly string[]
}

export function scenario(title: string, build: (context: ScenarioContext) => void, options: ScenarioOptions = {}): Scenario {
  const { profiles = [DEFAULT_PROFILE], variants = [''] } = options
  return {
    title,
    profiles,
    variants,
    build(profile = profiles[0] ?? DEFAULT_PROFILE, variant = variants[0] ?? '') {
      if (!variants.includes(variant))
        throw new BadScenario(`scenario '${title}' has no variant '${variant}'; it has ${variants.join(', ')}`)
      return new Builder(title, profile, variant).built(build)
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
  #mirrors = 0
  readonly #devices = new Map<ActorName, DeviceFault[]>()
  readonly #expectations: Expectation[] = []
  readonly #stages: { members: StatementRef[]; order: (StatementRef | Until)[] }[] = []
  #free = GAP

  constructor(title: string, profile: string, variant: string) {
    this.#title = variant === '' ? title : `${title} (${variant})`
    this.#asked = profile
    this.#variant = variant
  }

  built(build: (context: ScenarioContext) => void): Built {
    build({ linux: profile => this.#linux(profile ?? this.#asked), expect: this.#expect(), variant: this.#variant })
    if (this.#profile === undefined) throw new BadScenario(`scenario '${this.#title}' has no machine: call linux() in it`)
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
      device: (name = `gpu${this.#devices.size}`) => this.#device(name),
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
    return threadOf(this, name, mm)
  }

  add(by: ActorName, statement: Statement): StatementRef {
    const statements = this.#programs.get(by)?.statements
    if (statements === undefined) throw new BadScenario(`scenario '${this.#title}' has no thread '${by}'`)
    return this.#add({ by, index: statements.push(statement) - 1 })
  }

  place(pages: number, at: number | undefined): Pages {
    return this.#place(pages, at)
  }

  child(): { readonly mm: MmName; readonly thread: Thread } {
    const mm = `mm${this.#mms.length}`
    this.#mms = [...this.#mms, mm]
    return { mm, thread: this.#threadOf(`${mm}.cpu0`, mm, true) }
  }

  mirror(): ActorName {
    return mirrorName(this.#mirrors++)
  }

  #device(name: ActorName): Device {
    this.#name(name)
    const program: DeviceFault[] = []
    this.#devices.set(name, program)
    return {
      name,
      fault: ({ start, end }, { write = false, attempts } = {}) => {
        const defaultFlags = write ? HMM_PFN_VALID | HMM_PFN_WRITE : HMM_PFN_VALID
        const index =
          program.push({ start, end, defaultFlags, pfnFlagsMask: 0, owned: null, requests: Table.empty, attempts: attempts ?? null }) - 1
        return this.#add({ by: rangeName(name), index })
      },
    }
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
    const length = this.#programs.get(by)?.statements.length ?? [...this.#devices].find(([name]) => rangeName(name) === by)?.[1].length ?? 0
    return { by, left: length - index - 1 }
  }

  /** A statement as a person finds it: whose, which of his, and what it is. */
  #told({ by, index }: StatementRef): string {
    const what = this.#programs.get(by)?.statements[index]?.do ?? 'fault'
    return `${by}, ${index + 1}: ${what === 'load' ? 'read' : what === 'store' ? 'write' : what}`
  }

  #expect(): Expect {
    const add = (expectation: Expectation): void => void this.#expectations.push(expectation)
    return {
      always: (name, oracle) => add({ kind: 'always', name, oracle }),
      violated: (name, oracle) => add({ kind: 'violated', name, oracle }),
      sometimes: (name, holds) => add({ kind: 'sometimes', name, holds }),
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
    const { range, hmm: machine } = RANGE_MACHINES[profile.rangeValidity]
    const everything = { start: 0, end: PAGE_LIMIT }
    const hmm: readonly ActorSpec[] =
      machine === null || devices.length === 0 ? [] : [{ name: hmmOf(MM), machine, input: { mirrors: devices.map(([name]) => name) } }]
    const actors: readonly ActorSpec[] = [
      ...this.#mms.flatMap(mm => {
        if (mm !== MM) return mmActors(mm, {})
        return mmActors(
          mm,
          machine === null ? { itree: devices.map(([who]) => ({ who, ...everything })) } : { list: hmm.map(({ name }) => name) },
        )
      }),
      ...hmm,
      ...[...this.#programs].map(([name, { mm, child, statements }]) => ({
        name,
        machine: child ? 'child_thread' : 'thread',
        input: { mm, program: statements },
      })),
      ...Array.from({ length: this.#mirrors }, (_, n): readonly ActorSpec[] => [
        { name: mirrorName(n), machine: 'dmirror', input: {} },
        { name: snapshotOf(mirrorName(n)), machine: 'interval_notifier', input: {} },
      ]).flat(),
      ...devices.flatMap(([name, program]) => [
        { name, machine: 'device', input: { mm: MM, ...everything } },
        {
          name: rangeName(name),
          machine: range,
          input: { name: rangeName(name), mm: MM, device: name, program },
        },
      ]),
    ]
    return { profile: profile.name, mms: [MM], actors }
  }
}

const rangeName = (device: ActorName): ActorName => `${device}.range`
