// Peer: worker_threads and postMessage, which copies.
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { pinEnd, takePart } from './course.js';
import { MessagePort } from './port.js';

async function first(): Promise<void> {
  pinEnd(0);
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  worker.once('exit', (code) => process.exit(code));
  const port = new MessagePort((data) => worker.postMessage(data));
  worker.on('message', port.arrived);
  await takePart(0, port);
}

async function second(): Promise<void> {
  pinEnd(1, 'thread');
  const parent = parentPort!;
  const port = new MessagePort((data) => parent.postMessage(data));
  parent.on('message', port.arrived);
  await takePart(1, port);
  parent.close();
}

void (isMainThread ? first() : second());
