// A measure, and its program: each can be run alone and then prints its JSON lines.

import type { Plot } from '../plots/plot.js';
import type { Contestant } from './contest.js';
import { type Emit, format, type MeasureLine } from './json.js';
import { endAll } from './launch.js';
import { describeMachine } from './machine.js';
import { type Options, optionsHelp, parseOptions, UsageError } from './options.js';
import type { Part } from './parts.js';
import { isOurs } from './timing.js';

export interface Measure {
  name: string;
  /** One sentence: what is measured. */
  title: string;
  /** The names that --peers takes for it. */
  peers: readonly string[];
  run(options: Options, emit: Emit): Promise<void>;
  /** The lines of its run as tables. */
  report(lines: MeasureLine[]): Part[];
  /** The same as pictures; none of what was not found. */
  plots(lines: MeasureLine[]): Plot[];
}

/** Ours, and of the others those that are wanted; variants of one have ids like 'openmpi/distinct'. */
export function chosen(options: Options, contestants: Contestant[]): Contestant[] {
  return contestants.filter(({ id }) => isOurs(id) || wanted(options, id.split('/')[0]));
}

export function wanted(options: Options, peer: string): boolean {
  return options.peers?.includes(peer) ?? true;
}

/** `node dist/bench/<measure>.js [options]`: JSON lines on stdout, progress among them. */
export async function runAlone(measure: Measure): Promise<void> {
  process.exitCode = await guarded(async () => {
    const options = parseOptions(process.argv.slice(2));
    if (options.help) {
      console.log(`${measure.name}: ${measure.title}. Prints JSON lines.\n\n${optionsHelp}`);
      return;
    }
    const emit: Emit = (line) => process.stdout.write(`${format(line)}\n`);
    emit(describeMachine());
    await measure.run(options, emit);
  });
}

/** Runs a benchmark as a command: its exit code, and nothing left running when a signal ends it. */
export async function guarded(what: () => Promise<void>): Promise<number> {
  const interrupted = (signal: NodeJS.Signals) => {
    endAll();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    await what();
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`uintr bench: ${error.message}`);
    return 2;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
