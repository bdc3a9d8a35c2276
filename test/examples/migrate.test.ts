// The programs of the migration page do the same before and after.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

function checksum(pair: string, program: string): string {
  const file = join(ROOT, 'examples', 'migrate', pair, program);
  const output = execFileSync(process.execPath, [file, '5'], {
    encoding: 'utf8',
    env: cleanEnvironment(),
    timeout: 30_000,
  });
  const [, found] = /: \d+ ms, checksum (\d+)\n$/.exec(output) ?? [];
  if (found === undefined) throw new Error(`${pair}/${program} said: ${output}`);
  return found;
}

describe('migration', () => {
  test.each(['postmessage', 'fork-ipc', 'worker-pool'])('%s', (pair) => {
    expect(checksum(pair, 'after.js')).toBe(checksum(pair, 'before.js'));
  });
});
