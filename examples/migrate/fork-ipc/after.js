// The same by messages between ranks, straight from one array into the other.
//   node after.js [arrays]
const { fork } = require('node:child_process');
const { World } = require('uintr');
const { make, report, sum, transform } = require('../work.js');

const arrays = Number(process.argv[2] ?? 100);
const [, , , name = `arrays-${process.pid}`] = process.argv;
const isParent = process.argv.length < 4;

async function main() {
  if (isParent) fork(__filename, [String(arrays), name]);
  const world = await World.join({ name, size: 2, rank: isParent ? 0 : 1 });
  const array = new Float64Array(1 << 17);
  if (isParent) {
    const started = performance.now();
    let checksum = 0;
    for (let seed = 0; seed < arrays; seed++) {
      await world.send(make(array, seed), { dest: 1 });
      await world.recv(array, { source: 1 });
      checksum += sum(array);
    }
    report('uintr', started, checksum);
  } else {
    for (let done = 0; done < arrays; done++) {
      await world.recv(array, { source: 0 });
      await world.send(transform(array), { dest: 0 });
    }
  }
  await world.close();
}

main();
