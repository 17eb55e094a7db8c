/** What `why` found, as lines of text. */
import { page } from '../memory/address.ts'
import { changeLine, changesAt } from './changes.ts'
import { stepLine } from './draw.ts'
import { entryInWords, mappedInWords } from './entries.ts'
import { describeStep, statementInWords } from './folded-step.ts'
import type { Derived, Why } from './provenance.ts'
import type { Path } from './path.ts'
import { cameTo, type Run } from './recording.ts'
import { verdictOf } from './verdict.ts'
import { aligned, hung } from './wrap.ts'

/** In lines of at most `width` columns. */
export function whyLines(run: Run, found: Why, width = Infinity): readonly string[] {
  const { mm, page: p, n, derived } = found
  const none = `  no device has mapped it${run.first === 0 ? '' : ` since the log begins, at step ${run.first}`}`
  return [
    `page ${p} of ${mm} at step ${n}: the CPU maps ${mappedInWords(run.world(n).memory, mm, page(p))}`,
    `  ${writtenBy(run, found)}`,
    ...(derived.length === 0 ? [none] : []),
    ...derived.flatMap(d => [
      `${d.device} maps ${entryInWords(d.word, true)}${d.since === undefined || d.dropped !== undefined ? '' : `, as it did where the log begins, at step ${d.since}`}`,
      ...derivedLines(run, d, width),
      `  → ${verdictOf(found, d)}`,
    ]),
  ].flatMap(line => hung(line, width))
}

const writtenBy = (run: Run, { written, since }: Why): string =>
  written !== undefined
    ? `written by ${told(run, written)}`
    : since === undefined
      ? 'never written'
      : `as it was where the log begins, at step ${since}`

/** A step, with the statement that it belongs to. */
function told(run: Run, n: number): string {
  const { by } = run.record(n)
  return `step ${n}, ${by} in ${statementInWords(run, run.world(n - 1), by)}: ${describeStep(run, n).text}`
}

function derivedLines(run: Run, d: Derived, width: number): readonly string[] {
  const steps: readonly (readonly [number | undefined, string])[] = [
    [d.begun, d.seq === undefined ? 'began' : `began under sequence ${d.seq}`],
    [d.walked, 'walked'],
    ...d.invalidations.flatMap((i): readonly (readonly [number | undefined, string])[] => [
      [i.start, `${i.event} begins`],
      [i.told, 'device told'],
      [i.taken, i.gone === true ? 'entry taken away' : 'entry changed'],
      [i.end, `${i.event} is over`],
    ]),
    [d.checked, 'asked again'],
    [d.committed, 'mapped'],
    [d.dropped, 'dropped'],
  ]
  const rows = steps
    .flatMap(([n, what]) => (n === undefined ? [] : [{ n, what }]))
    .filter(({ n }, i, all) => all.findIndex(other => other.n === n) === i)
    .toSorted((a, b) => a.n - b.n)
    .map(({ n, what }) => [String(n), run.record(n).by, what, describeStep(run, n).text])
  const edges = d.edges.map(e => [`${e.from} → ${e.to}`, e.why])
  const order = aligned(edges, width - INDENT.length).map(line => `${INDENT}${line}`)
  return [...aligned(rows, width), ...(edges.length === 0 ? [] : [`${INDENT}what comes before what:`, ...order])]
}
const INDENT = '  '

/** The step that changed a path, and what it changed there. */
export const changeLines = (run: Run, n: number, path: Path): readonly string[] => [
  stepLine(run, n),
  ...changesAt(path, run.world(n - 1), cameTo(run, n)).map(change => `  ${changeLine(change)}`),
]
