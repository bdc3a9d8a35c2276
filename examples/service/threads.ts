// Workers as threads, with postMessage; buffers are transferred, not copied.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { buffersOf, type Job, work } from './jobs.js';
import { Answers, Dispatch, type Pool } from './pool.js';

export async function startThreads(workers: number): Promise<Pool> {
  const threads = Array.from({ length: workers }, () => new Worker(__filename));
  const answers = new Answers();
  for (const thread of threads) thread.on('message', (message) => answers.answered(message));
  const dispatch = new Dispatch(threads);
  return {
    run: (job) => dispatch.run((thread) => answers.ask((id) => thread.postMessage({ id, job }, buffersOf(job)))),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function answer({ id, job }: { id: number; job: Job }): void {
  const answer = work(job);
  parentPort!.postMessage({ id, answer }, buffersOf(answer));
}

if (!isMainThread) parentPort!.on('message', answer);
