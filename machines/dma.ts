/**
 * What a device has mapped for DMA with `hmm_range_dma_map()` (v5.2 to v5.5): page by page, for reading alone
 * (`DMA_TO_DEVICE`) or for both ways (`DMA_BIDIRECTIONAL`). There is room for so many pages; one more is a mapping error.
 */
import { assign, setup } from 'xstate'
import { Table } from '../src/memory/table.ts'
import { reply } from '../src/system/actor.ts'

export interface DmaContext {
  /** How many pages can be mapped at once; null: any number. */
  readonly room: number | null
  /** By page number: 1 to the device, 2 both ways, 0 not mapped. */
  readonly daddrs: Table
  readonly mapped: number
}
type Event =
  | { readonly type: 'dma_map_page'; readonly page: number; readonly bidirectional: boolean }
  | { readonly type: 'dma_unmap_page'; readonly page: number }

export const dma = setup({
  types: { context: {} as DmaContext, events: {} as Event, input: {} as { readonly room: number | null } },
  actions: {
    reply,
    map: assign(({ context: c, event: e }) =>
      e.type === 'dma_map_page' ? { daddrs: c.daddrs.set(e.page, e.bidirectional ? 2 : 1), mapped: c.mapped + 1 } : {},
    ),
    unmap: assign(({ context: c, event: e }) => ({ daddrs: c.daddrs.set(e.page, 0), mapped: c.mapped - 1 })),
  },
  guards: { full: ({ context: { room, mapped } }) => room !== null && mapped >= room },
}).createMachine({
  id: 'dma',
  context: ({ input }) => ({ room: input.room, daddrs: Table.empty, mapped: 0 }),
  initial: 'there',
  states: {
    there: {
      on: {
        dma_map_page: [
          { guard: 'full', actions: { type: 'reply', params: { value: false } } },
          { actions: ['map', { type: 'reply', params: { value: true } }] },
        ],
        dma_unmap_page: { actions: 'unmap' },
      },
    },
  },
})
