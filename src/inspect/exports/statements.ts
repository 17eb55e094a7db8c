/** Statements of devices and of `get_user_pages()`, in the words of the scripting API. */
import { HMM_PFN_WRITE } from '../../walker/hmm.ts'
import { HMM_PFN_DEVICE_PRIVATE } from '../../walker/hmm-5-2.ts'

export type Fields = Readonly<Record<string, unknown>>

export const pagesText = ({ start, end }: Fields): string => `{ start: page(${Number(start)}), end: page(${Number(end)}) }`

/** Without `FOLL_GET` no flag says so: the scripting API takes pages if nothing is said. */
export function gupText({ do: call, flags }: Fields): string {
  const said = { ...(call === 'get_user_pages_fast' ? { fast: true } : {}), ...(flags as Fields) }
  return JSON.stringify('take' in said ? said : { ...said, get: false })
}

export function deviceText(variable: string, s: Fields): string {
  if (s['access'] === 'read') return `${variable}.read(${pagesText(s)})`
  if (s['access'] === 'write') return `${variable}.write(${pagesText(s)}, ${Number(s['value'])})`
  const asked = Number(s['defaultFlags'])
  const options = [
    ...((asked & HMM_PFN_WRITE) === 0 ? [] : ['write: true']),
    ...((asked & HMM_PFN_DEVICE_PRIVATE) === 0 ? [] : ['devicePrivate: true']),
    ...(typeof s['attempts'] === 'number' ? [`attempts: ${s['attempts']}`] : []),
    ...(typeof s['block'] === 'boolean' ? [`block: ${String(s['block'])}`] : []),
  ]
  const call = s['snapshot'] === true ? 'snapshot' : s['dma'] !== undefined ? 'dmaMap' : 'fault'
  return `${variable}.${call}(${pagesText(s)}${options.length === 0 ? '' : `, { ${options.join(', ')} }`})`
}
