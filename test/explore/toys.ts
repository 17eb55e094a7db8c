/** Small systems for tests of the explorer: workers with programs over counters and locks. */
import { assign, setup } from 'xstate'
import { actor, compiled, kind, reply, system, type Does, type Model, type Offer, type Property, type World } from 'mirrorwalk/explore'

/** `add` and `set` write a counter, `read` remembers it, `take` and `give` are a lock's; a list is a choice. */
export type Op = readonly ['add' | 'set' | 'read' | 'take' | 'give', which: number]
export type Program = readonly (Op | readonly Op[])[]

interface Worker {
  readonly program: Program
  readonly seen: number
}

const counter = setup({
  types: { context: {} as { n: number }, events: {} as { type: 'add' | 'set' | 'read' } },
  actions: { reply, add: assign(({ context }) => ({ n: (context.n + 1) % 3 })), set: assign({ n: 1 }) },
}).createMachine({
  context: { n: 0 },
  initial: 'there',
  states: {
    there: {
      on: {
        add: { actions: ['add', { type: 'reply', params: { value: 0 } }] },
        set: { actions: ['set', { type: 'reply', params: { value: 0 } }] },
        read: { actions: { type: 'reply', params: ({ context }) => ({ value: context.n }) } },
      },
    },
  },
})

const lock = setup({ types: { events: {} as { type: 'take' | 'give' } } }).createMachine({
  initial: 'free',
  states: { free: { on: { take: 'held' } }, held: { on: { give: 'free' } } },
})

const worker = setup({
  types: {
    context: {} as Worker,
    events: {} as { type: 'done'; got: number },
    input: {} as { program: Program },
    meta: {} as { does: string },
  },
  actions: { next: assign(({ context: c, event }) => ({ program: c.program.slice(1), seen: event.got })) },
}).createMachine({
  context: ({ input }) => ({ program: input.program, seen: 0 }),
  initial: 'works',
  states: { works: { meta: { does: 'work' }, on: { done: { actions: 'next' } } } },
})

const isChoice = (of: Op | readonly Op[]): of is readonly Op[] => Array.isArray(of[0])

const work: Does<null, never, Worker> = (_, { program }) => {
  const [now] = program
  if (now === undefined) return []
  return (isChoice(now) ? now : [now]).map(([type, which]): Offer<never> => ({
    do: type,
    calls: [{ to: type === 'take' || type === 'give' ? `lock${which}` : `counter${which}`, event: { type } }],
    facts: [],
    event: ([got]) => ({ type: 'done', got: typeof got === 'number' ? got : 0 }) as { type: 'done' },
  }))
}

/** The context of the i-th actor of a world. */
export function contextOf<C>({ actors }: World<null>, i: number): C {
  const snapshot = actors[i]
  if (snapshot === undefined) throw new Error(`no actor ${i}`)
  return snapshot.context as C
}
/** The counter of that number. */
export const countOf = (world: World<null>, which: number): number => contextOf<{ readonly n: number }>(world, which).n

export function workers(programs: readonly Program[], properties: readonly Property<null>[] = []): Model<null, never> {
  const shared = [0, 1]
  return {
    system: system<null, never>({
      memory: null,
      fold: memory => memory,
      take: compiled,
      actors: [
        ...shared.map(i => actor<null, never, typeof counter>(`counter${i}`, kind(counter), {})),
        ...shared.map(i => actor<null, never, typeof lock>(`lock${i}`, kind(lock), {})),
        ...programs.map((program, i) => actor(`worker${i}`, kind<null, never, typeof worker>(worker, { work }), { program })),
      ],
    }),
    properties,
  }
}
