// What a rank's children get of its world: nothing.
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { rankTest } from '../helpers/rank-test.js';
import { meet } from '../helpers/worlds.js';

/** What the descriptors of a child are, besides its standard ones, and which of our variables it has. */
function childHas(): { descriptors: string[]; variables: string[] } {
  const shell =
    'for fd in /proc/self/fd/*; do case $fd in */[012]) ;; *) readlink $fd ;; esac; done; env | grep ^UINTR_ || true';
  const lines = execFileSync('/bin/sh', ['-c', shell], { encoding: 'utf8' }).trim().split('\n');
  const variables = lines.filter((line) => line.startsWith('UINTR_'));
  return { descriptors: lines.filter((line) => !line.startsWith('UINTR_')), variables };
}

for (const via of ['launcher', 'name'] as const) {
  rankTest(
    `a child of a rank, started by ${via}, has none of its descriptors, nor its place in the world`,
    { via },
    async (world) => {
      const { descriptors, variables } = childHas();
      // Whatever memory, eventfd, pidfd or socket it may be.
      const ours = descriptors.filter((what) => /memfd:|anon_inode:|socket:/.test(what));
      assert.deepEqual(ours, []);
      assert.deepEqual(
        variables.filter((variable) => variable.startsWith('UINTR_BOOTSTRAP')),
        [],
      );
      await meet(world);
    },
  );
}
