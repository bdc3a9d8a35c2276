// No interrupt changes what JavaScript computes, whatever executes it: each computation gives under fire what it gave
// before, bit for bit. UINTR_STRESS_FACTOR makes it longer.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { temporaryFolder } from '../helpers/folder.js';
import { DRIVERS, environmentOf } from '../helpers/matrix.js';
import { processTest, type Tools } from '../helpers/rank-test.js';
import { registry } from '../helpers/registry.js';
import { storm } from '../helpers/storm.js';
import { FACTOR, FACTOR_ENV, rounds } from '../helpers/stress.js';
import { computeUnderFire, fire, undisturbed } from './ranks.js';

const MESSAGES = rounds(30);
const options = {
  env: FACTOR_ENV,
  timeoutMs: 60_000 + 60_000 * FACTOR,
  during: storm('SIGURG', [0, 1], 5),
};

/** Node's options; --expose-gc is among them everywhere, so that garbage is collected in the midst of it. */
const MODES: Record<string, string[]> = {
  'compiled code': [],
  'interpreted code (--jitless)': ['--jitless'],
  'frames of the interpreter on the native stack': ['--interpreted-frames-native-stack'],
  'functions compiled lazily (--max-lazy)': ['--max-lazy'],
  'incremental marking all the time': ['--stress-incremental-marking'],
  'compaction at every collection': ['--stress-compaction'],
};

async function inMainThread(t: Tools): Promise<number> {
  const expected = await undisturbed();
  const world = await t.join();
  const handled = await computeUnderFire(world, expected, MESSAGES, t.note);
  await world.close();
  return handled;
}

async function inWorker(t: Tools): Promise<number> {
  const worker = new Worker(join(__dirname, 'worker.js'), { workerData: { join: t.joinOptions, messages: MESSAGES } });
  let handled = 0;
  worker.on('message', (said: { note?: string; handled?: number }) => {
    if (said.note !== undefined) t.note(`worker: ${said.note}`);
    handled = said.handled ?? handled;
  });
  // An error in it is an 'error' here, which rejects.
  await once(worker, 'exit');
  return handled;
}

const canary = (
  name: string,
  nodeOptions: string[],
  compute: (t: Tools) => Promise<number>,
  after?: () => void,
): void =>
  processTest(
    name,
    { ...options, nodeOptions: ['--expose-gc', ...nodeOptions] },
    async (t) => {
      if (t.rank === 0) return compute(t);
      const world = await t.join();
      await fire(world);
      await world.close();
      return undefined;
    },
    ([rank0]) => {
      // Six computations at least: there is no WebAssembly under --jitless.
      expect(rank0!.result).toBeGreaterThanOrEqual(6 * MESSAGES);
      after?.();
    },
  );

for (const driver of DRIVERS.filter((name) => name !== 'poll')) {
  describe(`(driver ${driver})`, () => {
    registry.withEnvironment(environmentOf(driver), () => {
      for (const [where, compute] of Object.entries({ 'the main thread': inMainThread, 'a worker': inWorker })) {
        for (const [mode, nodeOptions] of Object.entries(MODES)) canary(`${mode}, in ${where}`, nodeOptions, compute);
        const profiles = temporaryFolder('canary');
        const prof = ['--cpu-prof', '--cpu-prof-interval', '200', '--cpu-prof-dir', profiles];
        canary(`code that is profiled (--cpu-prof), in ${where}`, prof, compute, () => {
          expect(readdirSync(profiles).some((file) => file.endsWith('.cpuprofile'))).toBe(true);
        });
      }
    });
  });
}
