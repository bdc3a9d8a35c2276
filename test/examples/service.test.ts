// examples/service, in small.
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { DRIVERS, environmentOf } from '../helpers/matrix.js';
import { ROOT } from '../helpers/paths.js';
import { cleanEnvironment } from '../helpers/rank-test.js';

const EXAMPLE = join(ROOT, 'dist', 'examples', 'service', 'main.js');

describe('the example of a service', () => {
  for (const driver of DRIVERS) {
    it(`gives every client its image and its totals (driver ${driver})`, async () => {
      const env = cleanEnvironment(environmentOf(driver));
      const [failure, output] = await new Promise<[Error | null, string]>((resolve) => {
        const options = { env, timeout: 45_000, killSignal: 'SIGKILL' as const };
        execFile(process.execPath, [EXAMPLE, '8', '200000', '2'], options, (error, stdout, stderr) =>
          resolve([error, `${stdout}${stderr}`]),
        );
      });
      assert.equal(failure, null, output);
      assert.match(output, /^images +correct +correct +correct$/m);
      assert.match(output, /^batches +correct +correct +correct$/m);
    });
  }
});
