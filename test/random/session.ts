// Runs program after program in one world and communicators of it.
import type { Comm, World } from '../../lib/index.js';
import type { Tools } from '../helpers/rank-test.js';
import { shortenThresholds } from '../helpers/thresholds.js';
import { Comms } from './comms.js';
import { Execution } from './execute.js';
import { generate, type Limits } from './generate.js';
import { BARRIER, listing, type Program, shown } from './program.js';

// Number of a program beside another.
const ANOTHER = 1_000_000;

/** In every other program collective operations use on short messages what is meant for long ones. */
export const timesShorter = (index: number): number => (index % 2 === 0 ? 1 : 256);

export interface Session {
  seed: number;
  limits: Limits;
  /** Only this program, so many times; otherwise 0, 1, 2, … until `seconds` have passed. */
  replay?: { index: number; times: number };
  seconds: number;
  /** What to say to see it again. */
  again: (index: number) => string;
}

/** Returns how many programs ran. */
export async function runSession(world: World, t: Tools, session: Session): Promise<number> {
  const until = Date.now() + session.seconds * 1_000;
  const { replay } = session;
  const comms = new Comms(world);
  for (let count = 0; ; count += 1) {
    const index = replay?.index ?? count;
    t.note(`program ${index}; replay with ${session.again(index)}`);
    shortenThresholds(timesShorter(index));
    const parts = partsOf(session, index, await comms.forProgram(session.seed, index));
    try {
      await runTogether(world, parts, replay && ((what) => t.note(`program ${index}: ${what}`)));
      const enough = replay ? count + 1 >= replay.times : Date.now() >= until;
      if (await finish(world, parts[0]!.program, enough)) return count + 1;
    } catch (error) {
      throw new Error(
        `replay with ${session.again(index)}\n${parts.map(({ comm, program }) => `${comm.name}: ${listing(program)}`).join('\n')}`,
        { cause: error },
      );
    }
  }
}

interface Running {
  comm: Comm;
  program: Program;
}

/** A program for each communicator: they know nothing of each other, and must not notice each other. */
function partsOf({ seed, limits }: Session, index: number, comms: (Comm | null)[]): Running[] {
  const share = { ...limits, budget: Math.floor(limits.budget / comms.length) };
  return comms.flatMap((comm, i) =>
    comm ? [{ comm, program: generate(seed, index + i * ANOTHER, comm.size, share) }] : [],
  );
}

// As nobody waits for what lies in the future of any of them, all on one line of time cannot block either.
async function runTogether(world: World, parts: Running[], note?: (what: string) => void): Promise<void> {
  const executions = parts.map(({ comm, program }) => new Execution(world, comm, program));
  const line = executions.flatMap((execution) => execution.steps().map((step) => ({ execution, step })));
  line.sort((a, b) => a.step.time - b.step.time);
  for (const { execution, step } of line) {
    note?.(`${execution.name}: ${shown(step)}`);
    await execution.do(step);
  }
  for (const execution of executions) await execution.finish();
}

/**
 * A barrier in which nobody is sent anything while it may still receive it by a wildcard: the coordinator is the only
 * one with receives from anyone of anything, so it begins. Returns whether rank 0 has had enough.
 */
async function finish(world: World, { coordinator }: Program, enough: boolean): Promise<boolean> {
  const flag = Uint8Array.of(Number(enough));
  if (world.rank !== coordinator) {
    await world.recv(new Uint8Array(0), { source: coordinator, tag: BARRIER.go });
    await world.send(flag, { dest: coordinator, tag: BARRIER.arrived });
    const decided = new Uint8Array(1);
    await world.recv(decided, { source: coordinator, tag: BARRIER.released });
    return decided[0] === 1;
  }
  const others = Array.from({ length: world.size }, (_, rank) => rank).filter((rank) => rank !== coordinator);
  for (const dest of others) await world.send(new Uint8Array(0), { dest, tag: BARRIER.go });
  for (const source of others) {
    const told = new Uint8Array(1);
    await world.recv(told, { source, tag: BARRIER.arrived });
    if (source === 0) flag.set(told);
  }
  for (const dest of others) await world.send(flag, { dest, tag: BARRIER.released });
  return flag[0] === 1;
}
