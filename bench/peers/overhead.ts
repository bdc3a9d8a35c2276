// The contestants of overhead: with interrupts, and with what there is without them.
import type { Contestant } from '../lib/contest.js';
import { driversToCompare } from '../lib/drivers.js';
import { uintrRun } from '../lib/launch.js';
import { encodePlan, type Plan } from '../lib/plan.js';
import { rankScript } from './uintr.js';

export const computation = 'computation';

const waits = [
  { variant: 'wait', scenario: 'ping-pong, busy in wait()' },
  { variant: 'test', scenario: 'ping-pong, busy in a loop around test()' },
];

export function overheadContestants(plan: Plan): Contestant[] {
  const orders = encodePlan(plan);
  const pingPongs = waits.flatMap(({ variant, scenario }) =>
    driversToCompare().map((driver) => ({
      id: `uintr/${driver}`,
      title: `uintr, driver ${driver}`,
      scenario,
      command: () => ({ argv: uintrRun(rankScript('latency'), [variant, orders], ['--driver', driver]) }),
    })),
  );
  const script = rankScript('computation');
  return [
    ...pingPongs,
    {
      id: 'uintr/loaded',
      title: 'uintr, loaded and idle',
      scenario: computation,
      command: () => ({ argv: uintrRun(script, ['loaded', orders]) }),
    },
    {
      id: 'plain',
      title: 'Node alone',
      scenario: computation,
      command: () => ({ argv: [process.execPath, script, 'plain', orders] }),
    },
  ];
}

/** What others are compared with. */
export function isBaseline(id: string): boolean {
  return id === 'uintr/poll' || id === 'plain';
}
