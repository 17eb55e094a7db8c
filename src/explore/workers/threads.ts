/**
 * Threads of this process as workers. Whoever waits for their answers may be in the middle of something that cannot be left, so
 * they ring a bell in shared memory, and their messages are fetched instead of awaited.
 */
import { once } from 'node:events'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import type { Port, Recipe, Result } from './port.ts'

/** What a thread is started with. */
export interface Errand {
  readonly recipe: Recipe
  readonly worker: number
  readonly workers: number
  readonly tasks: MessagePort
  /** Counts the answers of all. */
  readonly bell: Int32Array
}

/** What the numbers of a message stand in: it is handed over, not copied. */
export const buffersIn = (message: object): readonly ArrayBuffer[] =>
  Object.values(message)
    .flat()
    .filter(value => value instanceof Int32Array)
    .map(value => value.buffer as ArrayBuffer)

/** Milliseconds that are waited for an answer at once. */
const PATIENCE = 20

/** What a thread runs. Where this is not compiled, it has to be taught TypeScript before. */
function entry(): URL {
  const compiled = new URL('./thread.js', import.meta.url)
  if (import.meta.url.endsWith('.js')) return compiled
  const taught = `import { register } from '${import.meta.resolve('tsx/esm/api')}'; register(); await import('${compiled.href.replace(/js$/, 'ts')}')`
  return new URL(`data:text/javascript,${encodeURIComponent(taught)}`)
}

/** Starts threads; they are there when each has made its model. */
export async function threads(workers: number, recipe: Recipe): Promise<Port> {
  const bell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  let failure: Error | undefined
  const all = Array.from({ length: workers }, (_, worker) => {
    const { port1: ours, port2: tasks } = new MessageChannel()
    const errand: Errand = { recipe, worker, workers, tasks, bell }
    const thread = new Worker(entry(), {
      workerData: errand,
      transferList: [tasks],
    })
    thread.on('error', error => (failure = error))
    return { thread, ours }
  })
  const stop = async (): Promise<void> => {
    for (const { ours } of all) ours.close()
    await Promise.all(all.map(({ thread }) => thread.terminate()))
  }
  try {
    // A thread that cannot make its model ends with the reason.
    await Promise.all(all.map(({ thread }) => once(thread, 'message')))
  } catch (error) {
    await stop()
    throw error
  }
  const fetched = (): readonly Result[] =>
    all.flatMap(({ ours }) => {
      const results: Result[] = []
      for (let got = receiveMessageOnPort(ours); got !== undefined; got = receiveMessageOnPort(ours)) results.push(got.message as Result)
      return results
    })
  // Whoever forgets to stop them is not kept waiting.
  for (const { thread } of all) thread.unref()
  return {
    workers,
    // What is to be agreed on goes to all.
    submit: (worker, task) => all[worker]?.ours.postMessage(task, task.do === 'agree' ? [] : buffersIn(task)),
    results() {
      if (failure !== undefined) throw failure
      const rung = Atomics.load(bell, 0)
      const results = fetched()
      if (results.length > 0) return results
      Atomics.wait(bell, 0, rung, PATIENCE)
      return fetched()
    },
    stop,
  }
}
