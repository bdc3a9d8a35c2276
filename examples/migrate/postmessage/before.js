// A worker thread makes frames of 8 MiB in a buffer that it keeps; the main thread computes on a copy of each. (A frame
// that the worker can do without goes by a transfer list, which copies nothing: then there is no reason to switch.)
//   node before.js [frames]
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { make, report, sum } = require('../work.js');

const frames = Number(process.argv[2] ?? 50);

if (isMainThread) {
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  let started;
  let checksum = 0;
  let taken = 0;
  worker.on('message', (frame) => {
    started ??= performance.now();
    // Asked for before computing, so that the worker copies meanwhile; but it arrives only in the next turn of the loop.
    if (++taken < frames) worker.postMessage('next');
    checksum += sum(frame);
    if (taken === frames) report('postMessage', started, checksum);
  });
  worker.postMessage('next');
} else {
  const frame = new Float64Array(1 << 20);
  let seed = 0;
  parentPort.on('message', () => {
    parentPort.postMessage(make(frame, seed++));
    if (seed === frames) parentPort.close();
  });
}
