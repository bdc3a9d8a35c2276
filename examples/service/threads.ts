// Workers as threads, with postMessage; buffers are transferred, not copied.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { filter, type Image } from './image.js';
import { Answers, Dispatch, type Pool } from './pool.js';

export async function startThreads(workers: number): Promise<Pool> {
  const threads = Array.from({ length: workers }, () => new Worker(__filename));
  const answers = new Answers();
  for (const thread of threads) thread.on('message', (message) => answers.answered(message));
  const dispatch = new Dispatch(threads);
  return {
    filter: (image) =>
      dispatch.run((thread) =>
        answers.ask((id) => thread.postMessage({ id, image }, [image.pixels.buffer as ArrayBuffer])),
      ),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}

function answer({ id, image }: { id: number; image: Image }): void {
  const answer = filter(image);
  parentPort!.postMessage({ id, answer }, [answer.pixels.buffer as ArrayBuffer]);
}

if (!isMainThread) parentPort!.on('message', answer);
