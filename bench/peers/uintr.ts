// This package as a contestant: its variants, started by its own launcher.
import { join } from 'node:path';
import type { Contestant } from '../lib/contest.js';
import { driversToCompare } from '../lib/drivers.js';
import { uintrRun } from '../lib/launch.js';
import { encodePlan, type Plan } from '../lib/plan.js';
import type { Transfer } from '../lib/transfers.js';

const ranks = join(__dirname, '..', 'ranks');

export function rankScript(name: string): string {
  return join(ranks, `${name}.js`);
}

interface Variant {
  name: string;
  title: string;
  /** The rank script's name for it, where several variants differ in environment only. */
  script?: string;
  env?: Record<string, string>;
}

const latency: Variant[] = [
  { name: 'wait', title: 'uintr, wait()' },
  { name: 'await', title: 'uintr, await' },
  { name: 'await-asleep', title: 'uintr, await, never polls', script: 'await', env: { UINTR_SPIN_MICROSECONDS: '0' } },
];

const bandwidth: Variant[] = [
  { name: 'one', title: 'uintr, one buffer' },
  { name: 'heap', title: 'uintr, buffers of the shared heap' },
  { name: 'distinct', title: 'uintr, distinct buffers' },
  { name: 'await', title: 'uintr, one buffer, await' },
];

/** Nothing is copied: what the receiver does with a message it has been lent is its own. */
const lent: Variant = { name: 'lent', title: 'uintr, lent buffers of the shared heap' };

/** As many messages as a program with one buffer can send. */
const rate: Variant[] = [
  { name: 'wait', title: 'uintr, wait()', script: 'one' },
  { name: 'await', title: 'uintr, await' },
];

const transfers: Record<Transfer, { program: string; variants: Variant[] }> = {
  latency: { program: 'latency', variants: latency },
  bandwidth: { program: 'bandwidth', variants: [...bandwidth, lent] },
  bibandwidth: { program: 'bibandwidth', variants: bandwidth },
  rate: { program: 'bandwidth', variants: rate },
};

export function uintrContestants(measure: Transfer, plan: Plan): Contestant[] {
  const { program, variants } = transfers[measure];
  return variants.map(({ name, title, script = name, env }) => ({
    id: `uintr/${name}`,
    title,
    command: () => ({ argv: uintrRun(rankScript(program), [script, encodePlan(plan)]), env }),
  }));
}

/** Ours under each of these drivers; its arguments are asked for at each start. */
export function underDrivers(program: string, args: () => string[], drivers = driversToCompare()): Contestant[] {
  return drivers.map((driver) => ({
    id: `uintr/${driver}`,
    title: `uintr, driver ${driver}`,
    command: () => ({ argv: uintrRun(rankScript(program), args(), ['--driver', driver]) }),
  }));
}
