// The same by messages between ranks: the next frame arrives while this one is computed on.
//   node after.js [frames]
const { Worker, isMainThread } = require('node:worker_threads');
const { World } = require('uintr');
const { make, report, sum } = require('../work.js');

const frames = Number(process.argv[2] ?? 50);

async function main() {
  if (isMainThread) new Worker(__filename, { argv: process.argv.slice(2) });
  const world = await World.join({ name: `frames-${process.pid}`, size: 2, rank: isMainThread ? 0 : 1 });
  if (isMainThread) take(world);
  else send(world);
  await world.close();
}

function take(world) {
  let [now, next] = [new Float64Array(1 << 20), new Float64Array(1 << 20)];
  let checksum = 0;
  world.irecv(now, { source: 1 }).wait();
  const started = performance.now();
  for (let taken = 1; taken <= frames; taken++) {
    const request = taken < frames ? world.irecv(next, { source: 1 }) : undefined;
    checksum += sum(now); // nothing is awaited in here
    request?.wait();
    [now, next] = [next, now];
  }
  report('uintr', started, checksum);
}

function send(world) {
  const frame = new Float64Array(1 << 20);
  for (let seed = 0; seed < frames; seed++) world.isend(make(frame, seed), { dest: 0 }).wait();
}

main();
