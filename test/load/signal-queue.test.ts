// RLIMIT_SIGPENDING: a real-time signal needs a place in a queue, which can be full; a standard one does not.
import { execFileSync } from 'node:child_process';
import { execPath } from 'node:process';
import { CLI } from '../helpers/paths.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { cleanEnvironment, rankTest } from '../helpers/rank-test.js';
import { computeUntilWritten } from '../helpers/work.js';
import { meet } from '../helpers/worlds.js';
import { SIZES, traffic } from '../stress/traffic.js';

const NO_QUEUE = ['prlimit', '--sigpending=0'];
const realTime = { UINTR_DRIVER: 'signal', UINTR_SIGNAL: 'SIGRTMIN+3' };
const SIZE = 3_000_000;

/** From now on no real-time signal reaches this process. */
function loseQueue(): void {
  execFileSync(NO_QUEUE[0]!, [...NO_QUEUE.slice(1), '--pid', `${process.pid}`]);
}

rankTest(
  '1. standard signals interrupt without a queue',
  { env: { UINTR_DRIVER: 'signal' }, under: NO_QUEUE },
  async (world, t) => {
    const peer = 1 - world.rank;
    const into = new Uint8Array(SIZE);
    const received = world.irecv(into, { source: peer, tag: 1 });
    await meet(world);
    const sent = world.isend(pattern(peer, SIZE), { dest: peer, tag: 1 });
    computeUntilWritten(into);
    await Promise.all([received, sent]);
    assertPattern(into, world.rank);
    await traffic(world, t, { rounds: 30, sizes: SIZES, work: 50 });
  },
);

// Nobody but the handler wakes a rank that sleeps, where signals arrive.
rankTest('2. a rank whose queue is full is woken when it sleeps', { env: realTime }, async (world) => {
  const peer = 1 - world.rank;
  await meet(world);
  if (world.rank === 0) {
    const into = new Uint8Array(SIZE);
    for (let i = 0; i < 20; i += 1) {
      into.fill(0);
      const answered = world.irecv(into, { source: peer });
      const sent = world.isend(pattern(i, SIZE), { dest: peer });
      // The other sleeps, and this rank makes no call until its answer is there.
      computeUntilWritten(into);
      await Promise.all([answered, sent]);
    }
  } else {
    loseQueue();
    for (let i = 0; i < 20; i += 1) {
      const into = new Uint8Array(SIZE);
      // From anybody, so that its sender cannot match it: that is this rank's to do.
      await world.recv(into);
      assertPattern(into, i);
      await world.send(into, { dest: peer });
    }
  }
});

rankTest('3. messages of all sizes arrive where all queues are full', { env: realTime }, async (world, t) => {
  await meet(world);
  loseQueue();
  await meet(world);
  await traffic(world, t, { rounds: 60, sizes: SIZES, work: 50 });
});

test('4. where it is full from the beginning, joining and doctor say so', () => {
  const env = cleanEnvironment(realTime);
  const under = (...args: string[]): string =>
    execFileSync(NO_QUEUE[0]!, [...NO_QUEUE.slice(1), execPath, ...args], { encoding: 'utf8', env });
  expect(under(CLI, 'doctor')).toMatch(/^ {2}signal +no: signal 37: tgkill failed with EAGAIN \(.*ulimit -i/m);
  const program = `require(process.argv[1]).World.join().catch((error) => console.log(error.code, error.message))`;
  expect(under('-e', program, require.resolve('../../lib/index.js'))).toMatch(/^ERR_UINTR_JOIN signal 37: .*ulimit -i/);
});
