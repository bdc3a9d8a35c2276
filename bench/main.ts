// `uintr bench [names…]`: runs measures one after another and shows what came out.
import { bandwidth } from './bandwidth.js';
import { latency } from './latency.js';
import { type Emit, format, type MachineLine, type MeasureLine } from './lib/json.js';
import { describeMachine } from './lib/machine.js';
import { guarded, type Measure } from './lib/measure.js';
import { type Options, optionsHelp, parseOptions, UsageError } from './lib/options.js';
import { clearProgress, showProgress } from './lib/progress.js';
import { isOurs } from './lib/timing.js';
import { notify } from './notify.js';
import { overlap } from './overlap.js';

/** In the order in which they run. */
const measures: readonly Measure[] = [latency, bandwidth, overlap, notify];

/** The exit code: 0, 1 if anything of ours could not run, 2 if the command line cannot be meant. */
export async function main(argv: string[]): Promise<number> {
  let failed = false;
  const code = await guarded(async () => {
    const options = parseOptions(argv);
    if (options.help) {
      console.log(help());
      return;
    }
    const chosen = choose(options);
    const machine = describeMachine();
    if (options.json) console.log(format(machine));
    else console.log(`${about(machine)}\n`);
    for (const measure of chosen) {
      const lines = await runOne(measure, options);
      failed ||= lines.some((line) => line.bench === 'skipped' && isOurs(line.contestant));
    }
  });
  return code || (failed ? 1 : 0);
}

async function runOne(measure: Measure, options: Options): Promise<MeasureLine[]> {
  const lines: MeasureLine[] = [];
  const emit: Emit = (line) => {
    lines.push(line);
    if (line.bench === 'progress') showProgress(line);
    else if (options.json) console.log(format(line));
  };
  await measure.run(options, emit);
  clearProgress();
  if (!options.json) console.log(`${measure.name}: ${measure.title}\n\n${measure.report(lines)}\n`);
  return lines;
}

function choose({ names, peers = [] }: Options): Measure[] {
  const known = new Map(measures.map((measure) => [measure.name, measure]));
  const strange = names.find((name) => !known.has(name));
  if (strange !== undefined) throw new UsageError(`no measure ${strange}; there are ${[...known.keys()].join(', ')}`);
  const chosen = names.length === 0 ? [...measures] : measures.filter(({ name }) => names.includes(name));
  const there = new Set(measures.flatMap((measure) => measure.peers));
  const unknown = peers.find((peer) => !there.has(peer));
  if (unknown !== undefined) throw new UsageError(`no peer ${unknown}; there are ${[...there].join(', ')}`);
  return chosen;
}

function about({ cpu, cores, kernel, node, openmpi, cpus, notPinned }: MachineLine): string {
  const where = cpus ? `ends pinned to processors ${cpus.join(' and ')}` : `ends not pinned: ${notPinned}`;
  const mpi = openmpi === undefined ? [] : [`Open MPI ${openmpi}`];
  return [`${cpu}, ${cores} cores`, `Linux ${kernel}`, `Node ${node}`, ...mpi, where].join(' · ');
}

function help(): string {
  const list = measures.map(
    ({ name, title, peers }) => `  ${name.padEnd(16)}  ${title}\n${' '.repeat(20)}peers: ${peers.join(', ')}`,
  );
  return `usage: uintr bench [names…] [options]\n\n${list.join('\n')}\n\n${optionsHelp}`;
}

if (require.main === module) {
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
