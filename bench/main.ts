// `uintr bench [names…]`: runs measures one after another and shows what came out.
import { availability } from './availability.js';
import { bandwidth } from './bandwidth.js';
import { bibandwidth } from './bibandwidth.js';
import { collectives } from './collectives.js';
import { collectivesOverlap } from './collectives-overlap.js';
import { counter } from './counter.js';
import { handler } from './handler.js';
import { idle } from './idle.js';
import { latency } from './latency.js';
import { about } from './lib/about.js';
import { type Emit, format, type MeasureLine } from './lib/json.js';
import { describeMachine } from './lib/machine.js';
import { guarded, type Measure } from './lib/measure.js';
import { type Options, optionsHelp, parseOptions, UsageError } from './lib/options.js';
import { asText } from './lib/parts.js';
import { clearProgress, showProgress } from './lib/progress.js';
import { Recorder, type Run, readRun } from './lib/record.js';
import { isOurs } from './lib/timing.js';
import { madmpi } from './madmpi.js';
import { notify } from './notify.js';
import { overhead } from './overhead.js';
import { overlap } from './overlap.js';
import { preparePage, writePage } from './page/page.js';
import { prepareFolder, writePlots } from './plots/files.js';
import { rate } from './rate.js';
import { scale } from './scale.js';

/** In the order in which they run. */
export const measures: readonly Measure[] = [
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
  counter,
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
    const chosen = choose(options);
    const { svg, page } = options;
    if (svg !== undefined) prepareFolder('--svg', svg);
    if (page !== undefined) preparePage(page);
    let found: Run;
    if (options.from === undefined) [found, failed] = await run(argv, options, chosen);
    else {
      found = readRun(options.from);
      show(found, chosen, svg);
    }
    if (page !== undefined) {
      const asked = found.measures.filter(({ name }) => chosen.some((measure) => measure.name === name));
      writePage({ ...found, measures: asked }, measures, page);
    }
  });
  return code || (failed ? 1 : 0);
}

/** What was found, and whether anything of ours could not run. */
async function run(argv: string[], options: Options, chosen: Measure[]): Promise<[Run, boolean]> {
  const machine = describeMachine();
  const asLines = options.json === '-';
  const record = new Recorder(asLines ? undefined : options.json, argv, machine);
  console.log(asLines ? format(machine) : `${about(machine)}\n`);
  let failed = false;
  for (const measure of chosen) {
    const lines = await runOne(measure, options, asLines);
    record.add(measure, lines);
    if (options.svg !== undefined) writePlots(measure.plots(lines), options.svg);
    failed ||= lines.some((line) => line.bench === 'skipped' && isOurs(line.contestant));
  }
  return [record.run, failed];
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

/** The tables of a run that was recorded, and its plots. */
function show({ machine, measures: found }: Run, chosen: Measure[], svg: string | undefined): void {
  console.log(`${about(machine)}\n`);
  for (const { name, findings } of found) {
    const measure = chosen.find((one) => one.name === name);
    if (!measure) continue;
    showOne(measure, findings);
    if (svg !== undefined) writePlots(measure.plots(findings), svg);
  }
}

function showOne(measure: Measure, lines: MeasureLine[]): void {
  console.log(`${measure.name}: ${measure.title}\n\n${asText(measure.report(lines))}\n`);
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
