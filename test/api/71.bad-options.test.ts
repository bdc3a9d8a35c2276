// Bad options of World.join, as arguments and as environment variables.
import { strict as assert } from 'node:assert';
import { type JoinOptions, World } from '../../lib/index.js';
import { invalid } from '../helpers/errors.js';
import { uniqueName } from '../helpers/paths.js';
import { processTest } from '../helpers/rank-test.js';

const one = { ranks: 1 } as const;
const join = (options: Record<string, unknown>): Promise<World> => World.join(options as JoinOptions);

/** Option, and values that it cannot have. */
const BAD: [string, unknown[]][] = [
  ['driver', ['interrupts', '', 'SIGNAL']],
  ['copy', ['memcpy', 'Direct']],
  ['signal', ['SIGNOTHING', 'SIGKILL', 'SIGSTOP', '']],
  ['eagerLimit', [-1, 1.5, 'many', Number.NaN]],
  ['ringBytes', [-1, 100, 'big']],
  ['heapBytes', [-5, 'huge']],
  ['unexpectedBytes', [-1, 'some']],
  ['maxRequests', [0, -1, 2.5, 1e12]],
  ['spinMicroseconds', [-1, 'long']],
  ['joinTimeout', [-1, 'never']],
  ['maxObjectBytes', [0, -1, 2 ** 53, 'all']],
  ['sliceBytes', [-1, 'thick']],
  ['trace', ['', '/nonexistent-uintr/timeline.json']],
  ['traceEvents', [0, 1000, 2 ** 25, 'many']],
];

/** An option's environment variable. */
const variable = (option: string): string =>
  `UINTR_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

describe('World.join()', () => {
  for (const [option, values] of BAD) {
    processTest(`1. refuses a bad ${option}, by name and value`, one, async () => {
      for (const value of values) {
        await assert.rejects(join({ [option]: value }), invalid(option, `${value}`), `${option}: ${value}`);
      }
    });

    processTest(`2. refuses a bad ${variable(option)}, by the variable's name and value`, one, async () => {
      for (const value of values) {
        // An empty variable is one that is not set.
        if (value === '') continue;
        process.env[variable(option)] = `${value}`;
        await assert.rejects(World.join(), invalid(variable(option), `${value}`), `${option}: ${value}`);
      }
      delete process.env[variable(option)];
      await (await World.join()).close();
    });
  }

  processTest('3. refuses an unknown option', one, async () => {
    for (const key of ['ringbytes', 'drivers', 'ranks']) await assert.rejects(join({ [key]: 1 }), invalid(key));
  });

  processTest('4. refuses what is not an object', one, async () => {
    for (const options of [null, 'orders', 5]) {
      await assert.rejects(World.join(options as unknown as JoinOptions), { code: 'ERR_UINTR_INVALID_ARGUMENT' });
    }
  });

  processTest('5. refuses what is no name', one, async () => {
    for (const name of ['', '.', '..', 'a/b', '../up', 'nul\0byte', 'ü', 'x'.repeat(300), 5, null, {}]) {
      await assert.rejects(join({ name, size: 1 }), invalid('name'), `${name}`);
    }
  });

  processTest('6. refuses a size that cannot be one', one, async () => {
    for (const size of [0, -1, 1.5, Number.NaN, '2', 1e9]) {
      await assert.rejects(join({ name: uniqueName(), size }), invalid('size', `${size}`), `${size}`);
    }
    await assert.rejects(join({ name: uniqueName() }), invalid('size'));
  });

  processTest('7. refuses a rank that is not below size', one, async () => {
    for (const rank of [2, -1, 0.5, '1']) {
      await assert.rejects(join({ name: uniqueName(), size: 2, rank }), invalid('rank', `${rank}`), `${rank}`);
    }
  });

  processTest('8. leaves nothing behind when it refuses: the process can still join', one, async (t) => {
    for (let i = 0; i < 10; i += 1) await assert.rejects(join({ name: '', size: 2 }));
    await (await t.join()).close();
  });
});
