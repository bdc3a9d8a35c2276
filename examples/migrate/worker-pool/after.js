// The same with ranks: a tile comes back into the memory that it was sent from.
//   node after.js [tiles]
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const { World } = require('uintr');
const { make, report, sum, transform } = require('../work.js');

const tiles = Number(process.argv[2] ?? 40);
const workers = 2;

async function drive(world, rank, queue) {
  let checksum = 0;
  for (let tile = queue.pop(); tile !== undefined; tile = queue.pop()) {
    await world.send(tile, { dest: rank });
    await world.recv(tile, { source: rank });
    checksum += sum(tile);
  }
  await world.send(new Uint8Array(0), { dest: rank });
  return checksum;
}

function serve(world) {
  const tile = new Float64Array(1 << 19);
  while (world.irecv(tile, { source: 0 }).wait().byteLength > 0) world.isend(transform(tile), { dest: 0 }).wait();
}

async function main() {
  const ranks = Array.from({ length: workers }, (_, i) => i + 1);
  if (isMainThread) for (const rank of ranks) new Worker(__filename, { workerData: rank });
  const world = await World.join({ name: `pool-${process.pid}`, size: workers + 1, rank: workerData ?? 0 });
  if (isMainThread) {
    const queue = Array.from({ length: tiles }, (_, seed) => make(new Float64Array(1 << 19), seed));
    const started = performance.now();
    const sums = await Promise.all(ranks.map((rank) => drive(world, rank, queue)));
    report(
      'uintr',
      started,
      sums.reduce((a, b) => a + b),
    );
  } else {
    serve(world);
  }
  await world.close();
}

main();
