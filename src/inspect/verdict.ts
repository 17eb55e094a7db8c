/** What is to be said of a device's entry in the end: what is wrong with it, and how that came about. */
import type { Invalidation } from './invalidations.ts'
import type { Derived, Why } from './provenance.ts'

export function verdictOf({ page: p }: Pick<Why, 'page'>, d: Derived): string {
  switch (d.standing) {
    case 'gone':
      return `${d.device} maps nothing there: step ${d.dropped} took the entry away`
    case 'the same':
      return `${d.device} maps what the CPU maps`
    case 'lent':
      return `${d.device} maps the page that the CPU has lent`
    case 'on its way':
      return `${d.device} maps a page that is on its way: nobody has it until it has arrived`
    case 'stale':
      return `${d.device} keeps a stale entry${cameAbout(p, d)}`
    case 'writes too much':
      return `${d.device} may write what the CPU may not${cameAbout(p, d)}`
  }
}

function cameAbout(p: number, d: Derived): string {
  const { committed, walked, since, checked } = d
  // That it gets a page to itself is told on the way to mapping it: that takes nothing from it.
  const gets = ({ event, end }: Invalidation): boolean =>
    d.standing === 'writes too much' && event === 'EXCLUSIVE' && (end ?? Infinity) < (committed ?? 0)
  const invalidations = d.invalidations.filter(i => !gets(i))
  const wasTold = invalidations.some(i => i.told !== undefined)
  if (committed === undefined)
    return wasTold
      ? `, though it was told; it was so where the log begins, at step ${since}`
      : `: nobody told it of page ${p} since the log begins, at step ${since}`
  const missed = invalidations.find(i => i.told !== undefined && i.told < committed && (walked ?? 0) < i.told)
  if (missed !== undefined) {
    const asked = checked === undefined ? 'nobody asked again' : `step ${checked} asked, and saw nothing of it`
    const before = walked === undefined ? 'it had walked before' : `it walked at ${walked}`
    return `: ${before}, ${missed.by} invalidated page ${p} at ${missed.start}–${missed.end ?? '…'}, ${asked}, and it mapped at ${committed} what it had found`
  }
  if (wasTold) return ', though it was told after it mapped it'
  return `: nobody told it of page ${p} since it ${walked === undefined ? `mapped it at ${committed}` : `walked at ${walked}`}`
}
