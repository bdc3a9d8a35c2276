// The contestants of notify: ours, and each mechanism of the system alone, in C.
import { spawnSync } from 'node:child_process';
import { CPrograms } from '../lib/c-programs.js';
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { argumentsOf, type NotifyPlan } from '../lib/notify-plan.js';
import { rankScript } from './uintr.js';

const mechanisms = [
  { id: 'tgkill', title: 'signal, bare tgkill' },
  { id: 'uipi', title: 'user interrupt, bare senduipi' },
  { id: 'eventfd', title: 'eventfd' },
  { id: 'pipe', title: 'pipe' },
  { id: 'unix-socket', title: 'Unix socket' },
  { id: 'futex', title: 'futex' },
  { id: 'spin', title: 'spinning on shared memory' },
];

export const mechanismNames = mechanisms.map(({ id }) => id);

const programs = new CPrograms('C', 'notify', () =>
  spawnSync('cc', ['--version']).error
    ? { reason: 'a C compiler, cc: not installed (apt-get install gcc libc6-dev)' }
    : { compiler: 'cc' },
);

/** What the program itself says, or undefined if it can run. */
function refusal(program: string): string | undefined {
  const { status, signal, stderr } = spawnSync(programs.executable(program), ['probe'], { encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim() || `its probe ended with ${signal ?? status}`;
}

export function notifyContestants(plan: NotifyPlan): Contestant[] {
  const ours: Contestant = {
    id: 'uintr',
    title: 'uintr (this package)',
    // Asleep means asleep, not polling before.
    command: () => ({
      argv: uintrRun(rankScript('notify'), [JSON.stringify(plan)]),
      env: { UINTR_SPIN_MICROSECONDS: '0' },
    }),
  };
  const doorbell: Contestant = {
    id: 'uintr/doorbell',
    title: 'uintr/doorbell (this package)',
    command: () => ({ argv: [process.execPath, rankScript('doorbell'), JSON.stringify(plan)] }),
  };
  const bare = mechanisms.map(
    ({ id, title }): Contestant => ({
      id,
      title,
      missing: () => programs.whyNot(id) ?? refusal(id),
      command: () => ({ argv: [programs.executable(id), ...argumentsOf(plan)] }),
    }),
  );
  return [ours, doorbell, ...bare];
}
