/**
 * How a kernel was built, beside its release: `v6.1,-thp,-hugetlb` is Linux 6.1 without transparent huge pages and without the pool
 * of them, `v6.12,+commitsUnchecked` is 6.12 with a bug in it (bugs.ts). All is built in unless it is left out, and no bug unless it is
 * named; what cannot be built so is refused, with the reason.
 */
import type { FileKind } from '../memory/memory.ts'
import { bugNames, isBug, whyNot, type BugName } from './bugs.ts'
import { profileNamed, profileNames, type Profile } from './profiles.ts'

/** The switches of profiles that are choices of who builds the kernel, or of its architecture. */
export const OPTIONS = ['thp', 'hugetlb', 'pteSpecial', 'zoneDevice', 'devicePrivate'] as const
export type Option = (typeof OPTIONS)[number]

/** What an option cannot be built without (Kconfig). */
interface Need {
  readonly option: Option
  readonly needs: Option
  readonly why: string
}
const NEEDS: readonly Need[] = [
  {
    option: 'zoneDevice',
    needs: 'pteSpecial',
    why: 'ZONE_DEVICE depends on ARCH_HAS_PTE_DEVMAP, and all architectures with that have ARCH_HAS_PTE_SPECIAL',
  },
  { option: 'devicePrivate', needs: 'zoneDevice', why: 'DEVICE_PRIVATE depends on ZONE_DEVICE' },
]

const isOption = (word: string): word is Option => (OPTIONS as readonly string[]).includes(word)

const NONE: ReadonlySet<never> = new Set<never>()

/** The name of a kernel that was built without these, and with these bugs. */
const nameOf = (release: string, without: ReadonlySet<Option>, bugs: ReadonlySet<BugName> = NONE): string =>
  [
    release,
    ...OPTIONS.filter(option => without.has(option)).map(option => `-${option}`),
    ...bugNames.filter(bug => bugs.has(bug)).map(bug => `+${bug}`),
  ].join(',')

/** Why it cannot be built without these, and how it can. */
function impossible(release: string, without: ReadonlySet<Option>): string | undefined {
  const all = new Set(without)
  const reasons: string[] = []
  for (const { option, needs, why } of NEEDS) {
    if (!all.has(needs) || all.has(option)) continue
    all.add(option)
    reasons.push(why)
  }
  return reasons.length === 0
    ? undefined
    : `no kernel can be built as '${nameOf(release, without)}': ${reasons.join('; ')}. Leave out that too: '${nameOf(release, all)}'`
}

/** What a kernel lacks for files of a kind to be there: there is no file system or device that they could be on. */
export function lacksFor(kind: FileKind, { name, zoneDevice, thp }: Profile): string | undefined {
  if (kind !== 'dax' && kind !== 'devdax') return undefined
  if (!zoneDevice) return `${name} has no DAX: ${kind === 'dax' ? 'FS_DAX' : 'DEV_DAX'} needs ZONE_DEVICE`
  return kind === 'devdax' && !thp ? `${name} has no device-DAX: DEV_DAX depends on TRANSPARENT_HUGEPAGE` : undefined
}

/** The profile behind a name, of a release with options left out and bugs put in; or in a sentence, why there is none. */
export function kernelNamed(name: string): Profile | string {
  const [release = '', ...words] = name.split(',')
  const profile = profileNamed(release)
  if (profile === undefined) return `no kernel profile '${release}'; there are ${profileNames.join(', ')}`
  if (words.length === 0) return profile
  const without = new Set<Option>()
  const bugs = new Set<BugName>()
  for (const word of words) {
    const refused = word.startsWith('+') ? addBug(profile, word.slice(1), bugs) : leaveOut(word, name, without)
    if (refused !== undefined) return refused
  }
  const refused = impossible(release, without)
  if (refused !== undefined) return refused
  const left = OPTIONS.filter(option => without.has(option))
  const put = bugNames.filter(bug => bugs.has(bug))
  return {
    ...profile,
    ...Object.fromEntries(left.map(option => [option, false])),
    bugs: put,
    name: nameOf(release, without, bugs),
    about: [
      profile.about,
      ...(left.length === 0 ? [] : [`built without ${left.join(', ')}`]),
      ...(put.length === 0 ? [] : [`with ${put.length === 1 ? 'the bug' : 'the bugs'} ${put.join(', ')}`]),
    ].join('; '),
  }
}

function leaveOut(word: string, name: string, without: Set<Option>): string | undefined {
  const option = word.slice(1)
  if (!word.startsWith('-') || !isOption(option))
    return `'${word}' in '${name}' is nothing that can be left out of a kernel; there are ${OPTIONS.map(o => `-${o}`).join(', ')}`
  without.add(option)
  return undefined
}

function addBug(profile: Profile, bug: string, bugs: Set<BugName>): string | undefined {
  if (!isBug(bug)) return `no bug '${bug}' can be put into a kernel; there are ${bugNames.map(b => `+${b}`).join(', ')}`
  const lacks = whyNot(profile, bug)
  if (lacks !== undefined) return `${profile.name} cannot have the bug ${bug}: ${lacks}`
  bugs.add(bug)
  return undefined
}
