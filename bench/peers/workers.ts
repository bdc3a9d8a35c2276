// Two threads of one process, for the peers that talk by postMessage.
import { isMainThread, parentPort, type TransferListItem, Worker } from 'node:worker_threads';
import { pinEnd, takePart } from './course.js';
import type { Port } from './port.js';

export type Post = (data: Uint8Array, transfer?: TransferListItem[]) => void;

export interface Inbox extends Port {
  /** To be called with each message that arrives. */
  readonly arrived: (data: Uint8Array) => void;
}

/** Runs this end of the script `filename`; `portOf` makes a port of the thread's postMessage. */
export async function talkBetweenThreads(filename: string, portOf: (post: Post) => Inbox): Promise<void> {
  if (isMainThread) {
    pinEnd(0);
    const worker = new Worker(filename, { argv: process.argv.slice(2) });
    worker.once('exit', (code) => process.exit(code));
    const port = portOf((data, transfer) => worker.postMessage(data, transfer));
    worker.on('message', port.arrived);
    await takePart(0, port);
    return;
  }
  pinEnd(1, 'thread');
  const parent = parentPort!;
  const port = portOf((data, transfer) => parent.postMessage(data, transfer));
  parent.on('message', port.arrived);
  await takePart(1, port);
  parent.close();
}
