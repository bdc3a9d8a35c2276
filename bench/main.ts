// `uintr bench [names…]`: runs measures one after another and shows what came out.
import { availability } from './availability.js';
import { bandwidth } from './bandwidth.js';
import { bibandwidth } from './bibandwidth.js';
import { collectives } from './collectives.js';
import { collectivesOverlap } from './collectives-overlap.js';
import { handler } from './handler.js';
import { idle } from './idle.js';
import { latency } from './latency.js';
import { about } from './lib/about.js';
import { type Emit, format, type MeasureLine } from './lib/json.js';
import { describeMachine } from './lib/machine.js';
import { guarded, type Measure } from './lib/measure.js';
import { type Options, optionsHelp, parseOptions, UsageError } from './lib/options.js';
import { clearProgress, showProgress } from './lib/progress.js';
import { Recorder, type Run, readRun } from './lib/record.js';
import { isOurs } from './lib/timing.js';
import { madmpi } from './madmpi.js';
import { notify } from './notify.js';
import { overhead } from './overhead.js';
import { overlap } from './overlap.js';
import { rate } from './rate.js';
import { scale } from './scale.js';

/** In the order in which they run. */
const measures: readonly Measure[] = [
  latency,
  bandwidth,
  bibandwidth,
  rate,
  overlap,
  madmpi,
  availability,
  overhead,
  idle,
  handler,
  notify,
  collectives,
  collectivesOverlap,
  scale,
];

/** The exit code: 0, 1 if anything of ours could not run, 2 if the command line cannot be meant. */
export async function main(argv: string[]): Promise<number> {
  let failed = false;
  const code = await guarded(async () => {
    const options = parseOptions(argv);
    if (options.help) {
      console.log(help());
      return;
    }
    if (options.from === undefined) failed = await run(argv, options);
    else show(readRun(options.from), choose(options));
  });
  return code || (failed ? 1 : 0);
}

/** Whether anything of ours could not run. */
async function run(argv: string[], options: Options): Promise<boolean> {
  const chosen = choose(options);
  const machine = describeMachine();
  const asLines = options.json === '-';
  const record = options.json === undefined || asLines ? undefined : new Recorder(options.json, argv, machine);
  console.log(asLines ? format(machine) : `${about(machine)}\n`);
  let failed = false;
  for (const measure of chosen) {
    const lines = await runOne(measure, options, asLines);
    record?.add(measure, lines);
    failed ||= lines.some((line) => line.bench === 'skipped' && isOurs(line.contestant));
  }
  return failed;
}

async function runOne(measure: Measure, options: Options, asLines: boolean): Promise<MeasureLine[]> {
  const lines: MeasureLine[] = [];
  const emit: Emit = (line) => {
    lines.push(line);
    if (line.bench === 'progress') showProgress(line);
    else if (asLines) console.log(format(line));
  };
  await measure.run(options, emit);
  clearProgress();
  if (!asLines) showOne(measure, lines);
  return lines;
}

/** The tables of a run that was recorded. */
function show({ machine, measures: found }: Run, chosen: Measure[]): void {
  console.log(`${about(machine)}\n`);
  for (const { name, findings } of found) {
    const measure = chosen.find((one) => one.name === name);
    if (measure) showOne(measure, findings);
  }
}

function showOne(measure: Measure, lines: MeasureLine[]): void {
  console.log(`${measure.name}: ${measure.title}\n\n${measure.report(lines)}\n`);
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

function help(): string {
  const list = measures.map(({ name, title, peers }) => {
    const others = peers.length === 0 ? '' : `\n${' '.repeat(23)}peers: ${peers.join(', ')}`;
    return `  ${name.padEnd(19)}  ${title}${others}`;
  });
  return `usage: uintr bench [names…] [options]\n\n${list.join('\n')}\n\n${optionsHelp}`;
}

if (require.main === module) {
  void main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
