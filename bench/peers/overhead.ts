// The contestants of overhead: with interrupts, and with what there is without them; with a timeline, and without.
import type { Contestant } from '../lib/contest.js';
import { uintrRun } from '../lib/launch.js';
import { encodePlan, type Plan } from '../lib/plan.js';
import { rankScript, underDrivers } from './uintr.js';

export const computation = 'computation';

const waits = [
  { variant: 'wait', scenario: 'ping-pong, busy in wait()' },
  { variant: 'test', scenario: 'ping-pong, busy in a loop around test()' },
];

/** `timeline`: the file where those that record one write it, each over the last. */
export function overheadContestants(plan: Plan, timeline: string): Contestant[] {
  const orders = encodePlan(plan);
  const pingPongs = waits.flatMap(({ variant, scenario }) =>
    underDrivers('latency', () => [variant, orders]).map((one) => ({ ...one, scenario })),
  );
  const timelines = [
    { id: 'uintr/timeline', title: 'uintr, timeline recorded', env: { UINTR_TRACE: timeline } },
    { id: 'uintr/silent', title: 'uintr', env: { UINTR_TRACE: '' } },
  ];
  const script = rankScript('computation');
  return [
    ...pingPongs,
    ...timelines.map(({ id, title, env }) => ({
      id,
      title,
      scenario: 'ping-pong, with a timeline',
      command: () => ({ argv: uintrRun(rankScript('latency'), ['wait', orders]), env }),
    })),
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
  return id === 'uintr/poll' || id === 'uintr/silent' || id === 'plain';
}
