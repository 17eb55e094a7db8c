/** Writing a log from records that there are already: they are sealed anew, and come out as they were unless the header did not. */
import { ByteWriter } from './bytes.ts'
import { Sealer } from './chain.ts'
import type { EndRecord, Header } from './records.ts'
import type { Sink } from './writer.ts'

const FULL = 1 << 20

export class LogRewriter {
  readonly #sink: Sink
  readonly #bytes = new ByteWriter()
  readonly #sealer = new Sealer()

  constructor(header: Header, sink: Sink) {
    this.#sink = sink
    this.record(JSON.stringify(header))
  }

  /** A record as text, without a checksum. */
  record(text: string): void {
    const start = this.#bytes.at
    this.#bytes.utf8(text)
    this.#sealer.seal(this.#bytes, start)
    if (this.#bytes.at >= FULL) this.flush()
  }

  end(record: EndRecord): void {
    this.record(JSON.stringify(record))
    this.flush()
  }

  flush(): void {
    if (this.#bytes.at > 0) this.#sink(this.#bytes.taken())
  }
}
