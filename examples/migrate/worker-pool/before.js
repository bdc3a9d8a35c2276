// A pool of worker threads: tiles of 4 MiB go out, each to whichever worker is free, and come back transformed.
//   node before.js [tiles]
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { make, report, sum, transform } = require('../work.js');

const tiles = Number(process.argv[2] ?? 40);
const workers = 2;

async function drive(worker, queue) {
  let checksum = 0;
  for (let tile = queue.pop(); tile !== undefined; tile = queue.pop()) {
    const answer = new Promise((resolve) => worker.once('message', resolve));
    worker.postMessage(tile);
    checksum += sum(await answer);
  }
  worker.postMessage('end');
  return checksum;
}

async function main() {
  const pool = Array.from({ length: workers }, () => new Worker(__filename));
  await Promise.all(pool.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const queue = Array.from({ length: tiles }, (_, seed) => make(new Float64Array(1 << 19), seed));
  const started = performance.now();
  const sums = await Promise.all(pool.map((worker) => drive(worker, queue)));
  report(
    'postMessage',
    started,
    sums.reduce((a, b) => a + b),
  );
}

if (isMainThread) main();
else {
  parentPort.on('message', (tile) => {
    if (tile === 'end') parentPort.close();
    else parentPort.postMessage(transform(tile));
  });
  parentPort.postMessage('ready');
}
