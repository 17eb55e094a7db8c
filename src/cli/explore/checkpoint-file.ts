/** Checkpoints of an exploration in a file: written from time to time, whole or not at all, and read back. */
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { endianness } from 'node:os'
import { dirname } from 'node:path'
import { decoded, encoded, type Identity, type Source } from '../../explore/strategies/checkpoint.ts'
import { BadCheckpoint, type Paused } from '../../explore/strategies/paused.ts'
import type { Built } from '../../scenario/api.ts'
import type { LinuxModel } from '../../scenario/explored.ts'
import { MODEL_VERSION } from '../../version.ts'
import { writeAll } from '../../log/files.ts'
import type { ExploreFlags } from './explore-flags.ts'
import { UsageError } from '../output.ts'

/** Seconds between two checkpoints, if nothing else is said. */
const EVERY = 60

/** What an exploration is to write, and to go on from, as far as it is asked to. */
export function checkpoints(
  built: Built,
  { actors }: LinuxModel['system'],
  flags: ExploreFlags,
): { readonly checkpoint: CheckpointFile | undefined; readonly from: Paused | undefined } {
  const names = actors.map(a => a.name)
  const of = identityOf(built, flags)
  return {
    checkpoint: flags.checkpoint === undefined ? undefined : new CheckpointFile(flags.checkpoint, of, names, flags.every),
    from: flags.resume === undefined ? undefined : readCheckpoint(flags.resume, of, names),
  }
}

/** One file is of one exploration. */
export function refuseSeveral({ checkpoint, resume }: ExploreFlags, profiles: readonly string[], variants: readonly string[]): void {
  if ((checkpoint === undefined && resume === undefined) || profiles.length * variants.length === 1) return
  const choose = [
    ...(profiles.length > 1 ? [`one kernel with --profile (${profiles.join(', ')})`] : []),
    ...(variants.length > 1 ? [`one variant with --variant (${variants.join(', ')})`] : []),
  ]
  throw new UsageError(`a checkpoint is of one exploration: choose ${choose.join(' and ')}`)
}

/** Whatever a paused search depends on. The oracles' own text stands for them. */
const identityOf = (built: Built, { strategy = 'bfs' }: ExploreFlags): Identity => ({
  model: MODEL_VERSION,
  scenario: `'${built.title}'`,
  kernel: built.system.profile,
  strategy,
  'byte order': endianness(),
  'a scenario whose digest is': createHash('sha256')
    .update(JSON.stringify(built, (_, value: unknown) => (typeof value === 'function' ? value.toString() : value)))
    .digest('hex')
    .slice(0, 16),
})

class CheckpointFile {
  readonly #path: string
  readonly #of: Identity
  readonly #names: readonly string[]
  readonly #every: number
  #written = performance.now()

  constructor(path: string, of: Identity, names: readonly string[], every = EVERY) {
    this.#path = path
    this.#of = of
    this.#names = names
    this.#every = every
  }

  /** To be called often: writes when it is time. */
  keep(pause: (() => Paused) | undefined): void {
    if (performance.now() - this.#written >= this.#every * 1e3) this.write(pause)
  }

  /** Beside the file, which it then replaces: whatever happens meanwhile, one of the two is whole. */
  write(pause: (() => Paused) | undefined): void {
    if (pause === undefined) return
    const beside = `${this.#path}.new`
    try {
      onDisk(beside, 'w', fd => {
        for (const part of encoded(this.#of, this.#names, pause())) writeAll(fd, part)
        fsyncSync(fd)
      })
      renameSync(beside, this.#path)
      onDisk(dirname(this.#path), 'r', fsyncSync)
    } catch (error) {
      rmSync(beside, { force: true })
      throw new UsageError(
        `${this.#path}: the checkpoint cannot be written there: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
    this.#written = performance.now()
  }
}

function readCheckpoint(path: string, of: Identity, names: readonly string[]): Paused {
  try {
    return onDisk(path, 'r', fd => decoded(of, names, sourceOf(fd)))
  } catch (error) {
    if (error instanceof BadCheckpoint) throw new UsageError(`${path}: cannot be gone on from: ${error.message}`)
    throw new UsageError(
      `${path}: cannot be read: ${error instanceof Error ? error.message : String(error)}. Expected what --checkpoint has written.`,
    )
  }
}

function onDisk<T>(path: string, flags: 'r' | 'w', run: (fd: number) => T): T {
  const fd = openSync(path, flags)
  try {
    return run(fd)
  } finally {
    closeSync(fd)
  }
}

/** The first line is read by the byte; all else in one piece each. */
const sourceOf = (fd: number): Source => ({
  line() {
    const bytes: number[] = []
    const byte = new Uint8Array(1)
    while (bytes.length < LONGEST && readSync(fd, byte) === 1 && byte[0] !== NEWLINE) bytes.push(byte[0] as number)
    return Buffer.from(bytes).toString('utf8')
  },
  fill(part) {
    for (let at = 0; at < part.length;) {
      const read = readSync(fd, part, at, part.length - at, null)
      if (read === 0) throw new BadCheckpoint('it ends too early: it was cut off')
      at += read
    }
  },
})

const NEWLINE = 0x0a
/** Bytes of a first line; what has a longer one is no checkpoint. */
const LONGEST = 1 << 24
