/** Logs made by hand: records that are sealed whatever they say, and the records of a log without their seals. */
import { ByteWriter } from '../../src/log/bytes.ts'
import { Opener, Sealer } from '../../src/log/chain.ts'

/** Records, as lines of a log. */
export function sealed(records: Iterable<string>): Buffer {
  const [to, sealer] = [new ByteWriter(), new Sealer()]
  for (const record of records) {
    const start = to.at
    to.copy(Buffer.from(record))
    sealer.seal(to, start)
  }
  return Buffer.from(to.taken())
}

/** The records of a log that is whole. */
export function unsealed(log: Buffer): readonly string[] {
  const opener = new Opener()
  return log
    .toString()
    .trimEnd()
    .split('\n')
    .map((line, i) => {
      const record = opener.open(Buffer.from(line))
      if (record === undefined) throw new Error(`line ${i + 1} does not open`)
      return record
    })
}
