/** A worker that is a thread: makes the model by its recipe, and answers tasks. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Model } from '../model.ts'
import { Partition } from './partition.ts'
import type { Recipe, Result, Task } from './port.ts'
import { buffersIn, type Errand } from './threads.ts'

const { recipe, worker, workers, tasks, bell } = workerData as Errand

async function made({ module, export: name, args }: Recipe): Promise<Model<unknown, unknown>> {
  const make = ((await import(module)) as Readonly<Record<string, unknown>>)[name]
  if (typeof make !== 'function') throw new Error(`${module} exports no function '${name}' that makes a model`)
  return (await (make as (...args: readonly unknown[]) => unknown)(...args)) as Model<unknown, unknown>
}

function tell(result: Result): void {
  tasks.postMessage(result, 'answer' in result ? buffersIn(result.answer) : [])
  Atomics.add(bell, 0, 1)
  Atomics.notify(bell, 0)
}

const partition = new Partition(await made(recipe), worker, workers)
tasks.on('message', (task: Task) => {
  try {
    tell({ worker, answer: partition.answer(task) })
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error))
    tell({ worker, error: { name, message } })
  }
})
parentPort?.postMessage('ready', [])
