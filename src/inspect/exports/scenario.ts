/** A scenario file from a recorded session: what its actors were told, in the words of the scripting API, stage by stage. */
import type { Header } from '../../log/records.ts'
import { isPlan } from '../../log/shape.ts'
import { kernelNamed } from '../../kernel/configuration.ts'
import { dmaOf, timeoutOf } from '../../kernel/names.ts'
import { deviceText, gupText, pagesText, type Fields } from './statements.ts'

/** A log of which no scenario can be made; the message says why. */
export class NoScenario extends Error {
  override readonly name = 'NoScenario'
}

interface ActorSpec {
  readonly name: string
  readonly machine: string
  readonly input: Fields
}
interface Goal {
  readonly by: string
  readonly left: number
  readonly state?: string
}
interface Stage {
  readonly goals: readonly Goal[]
  readonly order: readonly Goal[]
}

const RANGES: ReadonlySet<string> = new Set(['range', 'mirror_range', 'vma_range'])
const PAGE_SIZE = 4096
/** How machines of drivers begin that a user has defined. */
const DRIVER = 'driver:'

/** What is known of a run beside its plan. */
export interface Recorded {
  /** What the shipped oracles found. */
  readonly found?: readonly { readonly oracle: string }[]
  /** Its order as a token, if the plan does not give it again; `ends`: the run was not gone to its end. */
  readonly order?: string
  readonly ends?: boolean
}

export function scenarioText(
  { system, plan, title, seed, from }: Header,
  name = 'scenario.ts',
  { found = [], order, ends }: Recorded = {},
): string {
  if (from !== undefined)
    fail(
      `'${from.name}' is a branch, which was chosen by hand: a scenario has no words for that. Expected the log of a run; of a branch, export --as uvu makes a test.`,
    )
  const { profile, actors } = system as { readonly profile: string; readonly actors: readonly ActorSpec[] }
  const writing = new Writing(profile, actors)
  const stages: readonly Stage[] = isPlan(plan) ? (plan as readonly Stage[]) : [writing.everything()]
  for (const stage of stages) writing.stage(stage)
  const oracles = found.map(({ oracle }) => oracle)
  const imported = ['scenario', ...(writing.usesUntil ? ['until'] : []), ...oracles]
  const shows = oracles.map(oracle => `expect.violated(${JSON.stringify(oracle)}, ${oracle})`)
  const again = seed === null || order !== undefined ? '' : ` --seed ${seed}`
  return `/**
 * ${title.replaceAll('*/', '* /')}
 *
 * Exported from a log. The order that was recorded${ends === true ? ', and on from there' : ''}: npx mirrorwalk run ${name.replaceAll('*/', '* /')} --profile ${profile}${again}
 */
import { ${imported.toSorted().join(', ')}, type Page } from 'mirrorwalk'

const page = (n: number): Page => n as Page

export default scenario(
  ${JSON.stringify(title)},
  ({ linux${shows.length === 0 ? '' : ', expect'} }) => {
    const m = linux()
${[...writing.lines, ...shows].map(line => `    ${line}`).join('\n')}
  },
  { profiles: [${JSON.stringify(profile)}]${order === undefined ? '' : `, order: ${JSON.stringify(order)}`} },
)
`
}

/** What a device can map for DMA; it stands with the device, or with a machine of its own for mapping range by range. */
const dmaFrom = (actors: readonly ActorSpec[], device: string): Fields =>
  (actors.find(a => a.name === device)?.input['dma'] as Fields | undefined) ?? actors.find(a => a.name === dmaOf(device))?.input ?? {}

class Writing {
  readonly lines: string[] = []
  usesUntil = false
  readonly #programs = new Map<string, readonly Fields[]>()
  readonly #done = new Map<string, number>()
  /** The variables of threads and devices, by the actors that run their programs. */
  readonly #variables = new Map<string, string>()
  /** Of mirrors and open files, by name. */
  readonly #files = new Map<string, string>()
  readonly #devices = new Map<string, string>()
  #statements = 0
  #mirrors = 0

  constructor(profile: string, actors: readonly ActorSpec[]) {
    const kernel = kernelNamed(profile)
    // Where a driver may choose, an interval notifier is what it has if it does not say.
    const chooses = typeof kernel !== 'string' && kernel.rangeValidity === 'valid flag or sequence'
    for (const { name, machine, input } of actors) {
      if (machine.startsWith(DRIVER))
        fail(
          `${name} is of a driver of one's own (${machine.slice(DRIVER.length)}), which an exported file does not have. Expected one of the drivers that mirrorwalk has; of this, export --as uvu makes a test.`,
        )
      if (machine !== 'thread' && machine !== 'child_thread' && !RANGES.has(machine)) continue
      this.#programs.set(name, (input['program'] ?? []) as readonly Fields[])
      const variable = `v${this.#variables.size}`
      if (machine === 'child_thread') continue
      this.#variables.set(name, variable)
      if (machine === 'thread') this.lines.push(`const ${variable} = m.thread(${JSON.stringify(name)})`)
      else {
        const device = String(input['device'])
        this.#devices.set(name, device)
        const { room, limited } = dmaFrom(actors, device)
        const options = [
          ...(chooses && machine === 'mirror_range' ? [`notifier: 'hmm_mirror'`] : []),
          ...(typeof room === 'number' ? [`dmaRoom: ${room}`] : []),
          ...(limited === true ? ['dmaLimited: true'] : []),
          ...(actors.some(a => a.name === timeoutOf(device)) ? ['timeout: true'] : []),
        ]
        this.lines.push(
          `const ${variable} = m.device(${JSON.stringify(device)}${options.length === 0 ? '' : `, { ${options.join(', ')} }`})`,
        )
      }
    }
  }

  /** All programs at once, for logs that do not have the plan. */
  everything(): Stage {
    return { goals: [...this.#programs.keys()].map(by => ({ by, left: 0 })), order: [] }
  }

  stage({ goals, order }: Stage): void {
    const made = goals.flatMap(goal => this.#statementsTo(goal))
    if (made.length < 2 && order.length === 0) return
    const race = `m.race(${made.join(', ')})`
    this.lines.push(order.length === 0 ? race : `${race}.order(${order.map(goal => this.#orderText(goal)).join(', ')})`)
  }

  /** Writes what an actor does until so much is left; the variables of it. */
  #statementsTo({ by, left }: Goal): readonly string[] {
    const program = this.#programs.get(by) ?? []
    const made: string[] = []
    for (let i = this.#done.get(by) ?? 0; i < program.length - left; i++) {
      const text = this.#text(by, program, i)
      this.#done.set(by, i + 1)
      if (text === undefined) continue
      const variable = `s${this.#statements++}`
      this.#of.set(`${by} ${i}`, variable)
      this.lines.push(`const ${variable} = ${text}`)
      made.push(variable)
    }
    return made
  }

  readonly #of = new Map<string, string>()

  #orderText({ by, left, state }: Goal): string {
    const variable = this.#of.get(`${by} ${(this.#programs.get(by)?.length ?? 0) - left - 1}`)
    if (variable === undefined) return fail(`the order of a race names a statement of ${by} that is not in it`)
    if (state === undefined) return variable
    this.usesUntil = true
    return `until(${variable}, ${JSON.stringify(state)})`
  }

  #text(by: string, program: readonly Fields[], i: number): string | undefined {
    const statement = program[i] ?? {}
    const variable = this.#variables.get(by)
    if (variable === undefined) throw new NoScenario(`${by} acts before anybody has forked it`)
    if (this.#devices.has(by)) return deviceText(variable, statement)
    if (this.#absorbed.has(`${by} ${i}`)) return undefined
    return statement['do'] === 'open' ? this.#opened(by, variable, program, i) : this.#threadText(variable, statement)
  }

  #threadText(by: string, s: Fields): string | undefined {
    const pages = pagesText(s)
    const file = (): string => this.#files.get(String(s['file'])) ?? fail(`file ${String(s['file'])} is used before it is opened`)
    const range = `{ start: ${Number(s['start'])}, end: ${Number(s['end'])} }`
    switch (s['do']) {
      case 'mmap':
        return `${by}.mmap({ ${this.#mapping(s)} })`
      case 'munmap':
      case 'mlock':
      case 'munlock':
        return `${by}.${s['do']}(${pages})`
      case 'mprotect':
        return `${by}.mprotect(${pages}, ${JSON.stringify(s['prot'])})`
      case 'madvise':
        return `${by}.madvise(${pages}, ${JSON.stringify(s['advice'])})`
      case 'mremap':
        return `${by}.mremap({ start: page(${Number(s['from'])}), end: page(${Number(s['from']) + Number(s['old'])}) }, { at: ${Number(s['to'])}, pages: ${Number(s['pages'])} })`
      case 'load':
        return `${by}.read({ start: page(${Number(s['at'])}), end: page(${Number(s['end'])}) })`
      case 'store':
        return `${by}.write({ start: page(${Number(s['at'])}), end: page(${Number(s['end'])}) }, ${Number(s['value'])})`
      case 'get_user_pages':
      case 'get_user_pages_fast':
        return `${by}.gup(${pages}, ${gupText(s)})`
      case 'devm_memremap_pages_release':
        return `${by}.devm_memremap_pages_release(${JSON.stringify(s['pagemap'])})`
      case 'dev_pagemap_kill':
        return `${by}.killPagemap(${JSON.stringify(s['pagemap'])})`
      case 'memunmap_pages':
        return `${by}.memunmapPages(${JSON.stringify(s['pagemap'])})`
      case 'change_prot_numa':
        return `${by}.change_prot_numa(${pages})`
      case 'fork': {
        const variable = `v${this.#variables.size}`
        this.#variables.set(`${String(s['child'])}.cpu0`, variable)
        this.lines.push(`const ${variable} = ${by}.fork()`)
        return variable
      }
      case 'exit':
        return `${by}.exit()`
      case 'oom_reap_task_mm':
        return `${by}.oom_reap_task_mm()`
      case 'close':
        return this.#mirrorNames.has(String(s['file'])) ? `${file()}.usedBy(${by}).close()` : `${by}.close(${file()})`
      case 'ftruncate':
        return Number(s['size']) % PAGE_SIZE === 0
          ? `${by}.truncate(${file()}, ${Number(s['size']) / PAGE_SIZE})`
          : fail('a file is truncated within a page, for which the scripting API has no call')
      case 'punch_hole':
        return `${by}.punch(${file()}, ${range})`
      case 'pread':
        return `${by}.pread(${file()}, ${range})`
      case 'pwrite':
        return Number(s['bytes']) === 8
          ? `${by}.pwrite(${file()}, ${range}, ${Number(s['value'])})`
          : fail('a file is written in a way for which the scripting API has no call')
      case 'dmirror_open':
        return this.#openMirror(by, s)
      default:
        return this.#commandText(by, s)
    }
  }

  /** Statements that opening a file has made along with it. */
  readonly #absorbed = new Set<string>()

  /** A file, with the size and what is in it at first, if these are what follows. */
  #opened(by: string, thread: string, program: readonly Fields[], i: number): undefined {
    const { file, kind, pfnMap } = program[i] ?? {}
    let at = i + 1
    const next = (name: string, is: (s: Fields) => boolean): Fields | undefined => {
      const statement = program[at]
      if (statement?.['do'] !== name || statement['file'] !== file || !is(statement)) return undefined
      this.#absorbed.add(`${by} ${at++}`)
      return statement
    }
    const sized = next('ftruncate', s => Number(s['size']) % PAGE_SIZE === 0)
    const pages = Number(sized?.['size'] ?? 0) / PAGE_SIZE
    const isAll = (s: Fields): boolean => s['start'] === 0 && s['end'] === pages
    const before = at
    const blocks = sized !== undefined && kind === 'dax' ? next('fallocate', isAll) : undefined
    const filled = sized === undefined ? undefined : next('pwrite', s => isAll(s) && s['bytes'] === PAGE_SIZE)
    if (blocks !== undefined && filled === undefined) {
      this.#absorbed.delete(`${by} ${before}`)
    }
    const variable = `f${this.#files.size}`
    this.#files.set(String(file), variable)
    const size = sized === undefined ? '' : `, pages: ${pages}`
    const fill = filled === undefined ? '' : `, fill: ${Number(filled['value'])}`
    const map = pfnMap === undefined ? '' : `, pfnMap: ${JSON.stringify(pfnMap)}`
    this.lines.push(`const ${variable} = ${thread}.open(${JSON.stringify(file)}, { fs: ${JSON.stringify(kind)}${size}${fill}${map} })`)
  }

  readonly #mirrorNames = new Set<string>()

  #openMirror(by: string, s: Fields): undefined {
    const variable = `d${this.#mirrors++}`
    this.#files.set(String(s['who']), variable)
    this.#mirrorNames.add(String(s['who']))
    const number = Number(/\d+$/.exec(String(s['device']))?.[0] ?? 0)
    this.lines.push(`const ${variable} = ${by}.openDevice(${number})`)
    return SKIP
  }

  #commandText(by: string, s: Fields): string {
    const name = String(s['do'])
    const mirror = this.#files.get(String(s['who']))
    const command = COMMANDS[name]
    if (mirror === undefined || command === undefined) return fail(`the scripting API has no call for ${name}`)
    const value = name === 'dmirror_write' ? `, ${Number(s['value'])}` : ''
    return `${mirror}.usedBy(${by}).${command}(${name === 'dmirror_release' ? '' : `${pagesText(s)}${value}`})`
  }

  #mapping(s: Fields): string {
    const of = s['of']
    const file = typeof of === 'object' && of !== null ? (of as Fields) : undefined
    const from =
      file !== undefined
        ? `, of: ${this.#files.get(String(file['file'])) ?? fail(`file ${String(file['file'])} is mapped before it is opened`)}, offset: ${Number(file['pgoff'])}`
        : of === 'hugetlb'
          ? `, of: 'hugetlb'`
          : ''
    return `pages: ${Number(s['end']) - Number(s['start'])}, at: ${Number(s['start'])}, prot: ${JSON.stringify(s['prot'])}, shared: ${String(s['shared'] === true)}${from}${s['fails'] === undefined ? '' : `, fails: ${JSON.stringify(s['fails'])}`}`
  }
}

/** A statement that has no handle: nothing can be raced with it. */
const SKIP = undefined

const fail = (why: string): never => {
  throw new NoScenario(why)
}

const COMMANDS: Readonly<Record<string, string>> = {
  dmirror_read: 'read',
  dmirror_write: 'write',
  dmirror_migrate_to_device: 'migrateToDevice',
  dmirror_migrate_to_system: 'migrateToSystem',
  dmirror_snapshot: 'snapshot',
  dmirror_exclusive: 'exclusive',
  dmirror_check_exclusive: 'checkExclusive',
  dmirror_release: 'release',
}
