// The command line of `uintr bench` and of each measure alone.
import { parseArgs } from 'node:util';
import type { Effort } from './plan.js';

export interface Options extends Effort {
  names: string[];
  json: boolean;
  help: boolean;
  /** Peers to run besides ours; undefined for all. */
  peers?: string[];
}

/** What was typed cannot be meant. */
export class UsageError extends Error {}

export const optionsHelp = `  --quick           fewer rounds and samples: all measures in under a minute
  --json            print JSON lines instead of tables
  --peers a,b       only these peers besides uintr (none: --peers '')
  --sizes a,b       message lengths in bytes
  --rounds n        how often each peer is started
  --budget ms       time for the samples of one size, per peer and round`;

export function parseOptions(argv: string[]): Options {
  const { values, positionals } = parse(argv);
  return {
    names: positionals,
    json: values.json,
    quick: values.quick,
    help: values.help,
    peers: list(values.peers),
    sizes: list(values.sizes)?.map((text) => positive('--sizes', text)),
    rounds: values.rounds === undefined ? undefined : positive('--rounds', values.rounds),
    budget: values.budget === undefined ? undefined : positive('--budget', values.budget),
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
        peers: { type: 'string' },
        sizes: { type: 'string' },
        rounds: { type: 'string' },
        budget: { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function list(text: string | undefined): string[] | undefined {
  return text?.split(',').filter((part) => part !== '');
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value <= 0)
    throw new UsageError(`${option}: not a positive whole number: ${text}`);
  return value;
}
