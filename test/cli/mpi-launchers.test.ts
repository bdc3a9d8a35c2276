// Ranks that the launchers of other MPIs start join by themselves. Which of them are here is the machine's affair; CI
// installs both (.ci/run).
import { spawnSync } from 'node:child_process';
import { complete, LAUNCHED, said } from '../helpers/launched.js';

// Debian has both as alternatives of `mpirun`.
const LAUNCHERS: Record<string, string[]> = {
  'mpirun.openmpi': ['--allow-run-as-root', '--oversubscribe', '--bind-to', 'none'],
  'mpiexec.hydra': [],
};
const found = Object.keys(LAUNCHERS).filter((command) => spawnSync(command, ['--version']).error === undefined);

const run = (command: string, ranks: number, ...args: string[]): ReturnType<typeof said> =>
  said(command, [...LAUNCHERS[command]!, '-n', `${ranks}`, ...args]);

for (const command of found) {
  describe(command, () => {
    test('starts ranks of one world', async () => {
      expect(await run(command, 4, process.execPath, LAUNCHED, 'x')).toEqual(complete(4, 'x'));
    });

    test('starts several jobs at once, which do not meet', async () => {
      const tokens = ['a', 'b', 'c'];
      const jobs = await Promise.all(tokens.map((token) => run(command, 2, process.execPath, LAUNCHED, token)));
      expect(jobs).toEqual(tokens.map((token) => complete(2, token)));
    });

    test('starts ranks by way of a shell', async () => {
      const program = `"${process.execPath}" "${LAUNCHED}" x; exit 0`;
      expect(await run(command, 2, 'sh', '-c', program)).toEqual(complete(2, 'x'));
    });

    test('starts one program after another, each with a world of its own', async () => {
      const program = (token: string): string => `"${process.execPath}" "${LAUNCHED}" ${token}`;
      const tokens = ['a', 'b', 'c'];
      const said = await run(command, 3, 'sh', '-c', tokens.map(program).join('; '));
      for (const token of tokens) {
        expect(said.filter(({ heard }) => heard?.includes(token))).toEqual(complete(3, token));
      }
      expect(said).toHaveLength(9);
    });

    test('starts different programs in one job', async () => {
      const program = [process.execPath, LAUNCHED, 'x'];
      expect(await run(command, 1, ...program, ':', '-n', '1', ...program)).toEqual(complete(2, 'x'));
    });
  });
}

test('the launchers that there are start one rank', async () => {
  const jobs = await Promise.all(found.map((command) => run(command, 1, process.execPath, LAUNCHED, 'x')));
  expect(jobs).toEqual(found.map(() => complete(1, 'x')));
});
