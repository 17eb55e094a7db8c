/** What `why` found, as lines of text. */
import { page } from '../memory/address.ts'
import { changeLine, changesAt } from './changes.ts'
import { aligned, stepLine } from './draw.ts'
import { entryInWords, mappedInWords } from './entries.ts'
import { describeStep, statementInWords } from './folded-step.ts'
import { verdictOf, type Derived, type Why } from './provenance.ts'
import type { Path } from './path.ts'
import { cameTo, type Run } from './recording.ts'

export function whyLines(run: Run, found: Why): readonly string[] {
  const { mm, page: p, n, written, derived } = found
  return [
    `page ${p} of ${mm} at step ${n}: the CPU maps ${mappedInWords(run.world(n).memory, mm, page(p))}`,
    written === undefined ? '  never written' : `  written by ${told(run, written)}`,
    ...(derived.length === 0 ? ['  no device has mapped it'] : []),
    ...derived.flatMap(d => [`${d.device} maps ${entryInWords(d.word, true)}`, ...derivedLines(run, d), `  → ${verdictOf(found, d)}`]),
  ]
}

/** A step, with the statement that it belongs to. */
function told(run: Run, n: number): string {
  const { by } = run.record(n)
  return `step ${n}, ${by} in ${statementInWords(run, run.world(n - 1), by)}: ${describeStep(run, n).text}`
}

function derivedLines(run: Run, d: Derived): readonly string[] {
  const steps: readonly (readonly [number | undefined, string])[] = [
    [d.begun, d.seq === undefined ? 'began' : `began under sequence ${d.seq}`],
    [d.walked, 'walked'],
    ...d.invalidations.flatMap((i): readonly (readonly [number | undefined, string])[] => [
      [i.start, `${i.event} begins`],
      [i.told, 'device told'],
      [i.taken, 'entry taken away'],
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
  return [...aligned(rows), ...(edges.length === 0 ? [] : ['  what comes before what:', ...aligned(edges).map(line => `  ${line}`)])]
}

/** The step that changed a path, and what it changed there. */
export const changeLines = (run: Run, n: number, path: Path): readonly string[] => [
  stepLine(run, n),
  ...changesAt(path, run.world(n - 1), cameTo(run, n)).map(change => `  ${changeLine(change)}`),
]
