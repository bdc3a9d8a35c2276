// What happens to real processes while they talk: foreign signals, profilers, garbage collection, too many of them,
// and being stopped. UINTR_STRESS_FACTOR makes it longer.
import { strict as assert } from 'node:assert';
import { readdirSync } from 'node:fs';
import { temporaryFolder } from '../helpers/folder.js';
import { eachDriver } from '../helpers/matrix.js';
import { assertPattern, pattern } from '../helpers/pattern.js';
import { rankTest } from '../helpers/rank-test.js';
import { storm } from '../helpers/storm.js';
import { FACTOR, FACTOR_ENV, rounds } from '../helpers/stress.js';
import { SIZES, traffic } from './traffic.js';

const env = FACTOR_ENV;
const timeoutMs = 60_000 + 60_000 * FACTOR;

eachDriver(() => {
  rankTest(
    '1. foreign signals of the same number do no harm',
    { env, timeoutMs, during: storm('SIGURG') },
    (world, t) => traffic(world, t, { rounds: rounds(1_500), sizes: SIZES, work: 100 }),
  );

  rankTest(
    '2. neither do other signals that the program handles',
    { env, timeoutMs, during: storm('SIGCONT') },
    async (world, t) => {
      let handled = 0;
      process.on('SIGCONT', () => {
        handled += 1;
      });
      await traffic(world, t, { rounds: rounds(1_000), sizes: SIZES, work: 100 });
      assert.ok(handled >= 0);
    },
  );

  const profiles = temporaryFolder('profiles');
  rankTest(
    '3. with --cpu-prof, whose signals come a thousand times a second, messages arrive and the profile is written',
    { env, timeoutMs, nodeOptions: ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', profiles] },
    (world, t) => traffic(world, t, { rounds: rounds(1_000), sizes: SIZES, work: 300 }),
    () => {
      expect(readdirSync(profiles).filter((name) => name.endsWith('.cpuprofile')).length).toBeGreaterThanOrEqual(2);
    },
  );

  rankTest(
    '4. garbage collections in the middle of transfers do no harm',
    { env, timeoutMs, nodeOptions: ['--expose-gc'] },
    async (world, t) => {
      const { gc } = globalThis as { gc?: (options?: { type: string }) => void };
      const peer = 1 - world.rank;
      await traffic(world, t, {
        rounds: rounds(400),
        sizes: SIZES,
        work: 20,
        meanwhile: (round) => {
          // A request and a buffer that nobody refers to.
          world.isend(pattern(round, 20_000), { dest: peer, tag: 5 });
          gc!(round % 4 === 0 ? undefined : { type: 'minor' });
        },
      });
      for (let round = 0; round < rounds(400); round += 1) {
        assertPattern((await world.recv({ source: peer, tag: 5 })).data, round);
      }
    },
  );

  rankTest(
    '5. eight ranks that all compute and all talk get through, however few processors there are',
    { ranks: 8, env, timeoutMs },
    (world, t) => traffic(world, t, { rounds: rounds(60), sizes: [10, 5_000, 60_000, 200_000], work: 200 }),
  );

  rankTest(
    '6. a rank that is stopped holds up nobody else, and goes on when it is continued',
    { ranks: 3, env, timeoutMs },
    async (world, t) => {
      const [boss, stopped, other] = [0, 1, 2];
      const size = 3_000_000;
      for (let round = 0; round < rounds(20); round += 1) {
        t.note(`round ${round}`);
        if (world.rank === stopped) {
          await world.send(Uint32Array.of(process.pid), { dest: boss, tag: 1 });
          const into = new Uint8Array(size);
          const received = world.irecv(into, { source: boss, tag: 2 });
          if (round % 2 === 0) received.wait();
          else await received;
          assertPattern(into, round);
          await world.send(into, { dest: boss, tag: 3 });
        } else if (world.rank === boss) {
          const pid = new Uint32Array(1);
          await world.recv(pid, { source: stopped, tag: 1 });
          const sent = world.isend(pattern(round, size), { dest: stopped, tag: 2 });
          process.kill(pid[0]!, 'SIGSTOP');
          const back = new Uint8Array(size);
          const answered = world.irecv(back, { source: stopped, tag: 3 });
          for (let i = 0; i < 20; i += 1) {
            await world.send(pattern(i, i * 9_000), { dest: other });
            assertPattern((await world.recv({ source: other })).data, i);
          }
          process.kill(pid[0]!, 'SIGCONT');
          if (round % 3 === 0) answered.wait();
          await Promise.all([sent, answered]);
          assertPattern(back, round);
        } else {
          for (let i = 0; i < 20; i += 1) await world.send((await world.recv({ source: boss })).data, { dest: boss });
        }
      }
    },
  );

  rankTest(
    '7. interrupts in every phase of a process: joining and closing under a storm',
    { env, timeoutMs, during: storm('SIGURG') },
    async (world, t) => {
      for (let i = 0; i < rounds(20); i += 1) {
        t.note(`world ${i}`);
        const next = await t.join({ name: `${t.joinOptions.name}-${i}` });
        await traffic(next, t, { rounds: 7, sizes: SIZES, work: 10 });
        await next.close();
      }
      assert.equal(world.size, 2);
    },
  );

  const threads = { ranks: 4, processes: [[0, 1, 2], [3]], env, timeoutMs } as const;
  const workerProfiles = temporaryFolder('profiles');
  rankTest(
    '8. worker threads with --cpu-prof, garbage collections and foreign signals to their process',
    {
      ...threads,
      nodeOptions: ['--expose-gc', '--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', workerProfiles],
      during: storm('SIGURG', [0, 3]),
    },
    (world, t) =>
      traffic(world, t, {
        rounds: rounds(150),
        sizes: SIZES,
        work: 50,
        meanwhile: (round) => {
          if (round % 10 === 0) (globalThis as { gc?: (options?: { type: string }) => void }).gc!({ type: 'minor' });
        },
      }),
    () => {
      expect(readdirSync(workerProfiles).filter((name) => name.endsWith('.cpuprofile')).length).toBeGreaterThanOrEqual(
        4,
      );
    },
  );
});
