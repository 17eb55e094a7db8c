/**
 * Stands for whoever holds a folio's lock (`PG_locked`, which is kept in memory with the folio), a lock of a file, or a reference
 * that somebody waits for: a call to it is a wait, and is refused as long as it is made.
 */
import { setup } from 'xstate'

export const folioLock = setup({ types: { events: {} as { readonly type: 'folio_unlock' | 'put_page' | 'file_unlock' } } }).createMachine({
  id: 'folio_lock',
  initial: 'held',
  states: { held: {} },
})
