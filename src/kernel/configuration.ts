/**
 * How a kernel was built, beside its release: `v6.1,-thp,-hugetlb` is Linux 6.1 without transparent huge pages and without the pool
 * of them. All is built in unless it is left out; what cannot be built so is refused, with the reason.
 */
import type { FileKind } from '../memory/memory.ts'
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

/** The name of a kernel that was built without these. */
const nameOf = (release: string, without: ReadonlySet<Option>): string =>
  [release, ...OPTIONS.filter(option => without.has(option)).map(option => `-${option}`)].join(',')

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

/** The profile behind a name, of a release with options left out; or in a sentence, why there is none. */
export function kernelNamed(name: string): Profile | string {
  const [release = '', ...words] = name.split(',')
  const profile = profileNamed(release)
  if (profile === undefined) return `no kernel profile '${release}'; there are ${profileNames.join(', ')}`
  if (words.length === 0) return profile
  const without = new Set<Option>()
  for (const word of words) {
    const option = word.slice(1)
    if (!word.startsWith('-') || !isOption(option))
      return `'${word}' in '${name}' is nothing that can be left out of a kernel; there are ${OPTIONS.map(o => `-${o}`).join(', ')}`
    without.add(option)
  }
  const refused = impossible(release, without)
  if (refused !== undefined) return refused
  const left = OPTIONS.filter(option => without.has(option))
  return {
    ...profile,
    ...Object.fromEntries(left.map(option => [option, false])),
    name: nameOf(release, without),
    about: `${profile.about}; built without ${left.join(', ')}`,
  }
}
