// The command line of `uintr bench` and of each measure alone.
import { parseArgs } from 'node:util';
import type { Effort } from './plan.js';

export interface Options extends Effort {
  names: string[];
  /** A file for all that was found, or '-': JSON lines instead of tables. */
  json?: string;
  /** A file that --json wrote: its tables again, and nothing is run. */
  from?: string;
  /** A folder for a plot of each measure. */
  svg?: string;
  /** A page of all of it, plots and tables (FILE.md), or a folder for that. */
  page?: string;
  help: boolean;
  /** Peers to run besides ours; undefined for all. */
  peers?: string[];
}

/** What was typed cannot be meant. */
export class UsageError extends Error {}

export const optionsHelp = `  --quick           fewer rounds and samples
  --json file       write all that was found, as one JSON document; -: print JSON lines instead of tables
  --from file       show the tables of such a file again, and run nothing
  --svg dir         draw it: a plot or two of each measure, for light pages and for dark ones (needs echarts)
  --page dir        write dir/results.md, all of it as one page, with its plots (needs echarts); or --page dir/NAME.md
  --peers a,b       only these peers besides uintr (none: --peers '')
  --sizes a,b       message lengths in bytes
  --ranks a,b       numbers of ranks (collectives, collectives-overlap, scale), or of workers (counter)
  --exponent n      2^n operations in each case of counter, which the kernel lab has with 29, however long that takes;
                    with --budget no more than fit
  --rounds n        how often each peer is started
  --budget ms       time for the samples of one size, per peer and round`;

export function parseOptions(argv: string[]): Options {
  const { values, positionals } = parse(argv);
  return {
    names: positionals,
    json: values.json,
    from: values.from,
    svg: values.svg,
    page: values.page,
    quick: values.quick,
    help: values.help,
    peers: list(values.peers),
    sizes: list(values.sizes)?.map((text) => whole('--sizes', text)),
    ranks: list(values.ranks)?.map((text) => whole('--ranks', text, 2)),
    exponent: values.exponent === undefined ? undefined : whole('--exponent', values.exponent),
    rounds: values.rounds === undefined ? undefined : whole('--rounds', values.rounds),
    budget: values.budget === undefined ? undefined : whole('--budget', values.budget),
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        from: { type: 'string' },
        svg: { type: 'string' },
        page: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
        peers: { type: 'string' },
        sizes: { type: 'string' },
        ranks: { type: 'string' },
        exponent: { type: 'string' },
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

function whole(option: string, text: string, least = 1): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) {
    throw new UsageError(`${option}: not a whole number of at least ${least}: ${text}`);
  }
  return value;
}
