// Measure: what it costs to wait for a message that comes late, in processor time, and in energy where it can be read.

import type { Contestant } from './lib/contest.js';
import { compareFigures } from './lib/figures.js';
import type { Emit, ResultLine } from './lib/json.js';
import type { Outcome } from './lib/launch.js';
import { chosen, type Measure, runAlone } from './lib/measure.js';
import type { Options } from './lib/options.js';
import type { IdleLine } from './lib/peer-lines.js';
import { roundsOf } from './lib/plan.js';
import { Rapl } from './lib/rapl.js';
import { reportScenarios } from './lib/scenario-report.js';
import { summarize } from './lib/stats.js';
import { planFor } from './lib/timing.js';
import { type IdlePlan, idleContestants, nobody } from './peers/idle.js';
import { mpiPeers } from './peers/mpi.js';
import { byContestant } from './plots/series.js';

const measure = 'idle';

/** Of one contestant's starts, in watts and microseconds. */
interface Power {
  contestant: Contestant;
  watts: number[];
  micros: number[];
}

async function run(options: Options, emit: Emit): Promise<void> {
  const plan = planOf(options);
  const rapl = Rapl.open();
  const powers = new Map<string, Power>();
  const contestants = chosen(options, idleContestants(plan));
  await compareFigures({
    measure,
    unit: '%',
    better: 'less',
    contestants: rapl instanceof Rapl ? [...contestants, nobody(plan)] : contestants,
    rounds: roundsOf(options),
    emit: (line) => {
      // Nobody waits, so this is no figure.
      if (line.bench !== 'result' || line.contestant !== 'nobody') emit(line);
    },
    linesOf: () => 1,
    read: (line) => (line.bench === 'idle' ? sampled(line) : undefined),
    ...(rapl instanceof Rapl && { around: (contestant, start) => metered(rapl, powers, contestant, start) }),
  });
  for (const power of powers.values()) emit(resultOf(power));
  if (!(rapl instanceof Rapl)) emit({ bench: 'note', measure, text: `energy not measured: ${rapl.reason}` });
}

function planOf(options: Options): IdlePlan {
  const { cpus } = planFor(options, { sizes: [], window: 1 });
  return { milliseconds: options.budget ?? (options.quick ? 1000 : 10_000), ...(cpus && { cpus }) };
}

function sampled({ waited, spent, driver }: IdleLine) {
  return {
    bytes: 0,
    scenario: 'processor time, of one core',
    figures: [(100 * spent) / waited],
    times: [spent],
    driver,
  };
}

/** Of the whole run, start and end included: the machine's power, of which most is not the waiting rank's. */
async function metered(
  rapl: Rapl,
  powers: Map<string, Power>,
  contestant: Contestant,
  start: () => Promise<Outcome>,
): Promise<Outcome> {
  const [before, began] = [rapl.read(), performance.now()];
  const outcome = await start();
  const seconds = (performance.now() - began) / 1000;
  const power = powers.get(contestant.id) ?? { contestant, watts: [], micros: [] };
  power.watts.push(rapl.joulesSince(before) / seconds);
  power.micros.push(seconds * 1e6);
  powers.set(contestant.id, power);
  return outcome;
}

function resultOf({ contestant: { id, title }, watts, micros }: Power): ResultLine {
  const { median, min, p99 } = summarize(watts);
  return {
    bench: 'result',
    measure,
    contestant: id,
    title,
    bytes: 0,
    scenario: 'power of the processor packages',
    time: summarize(micros),
    figure: { unit: 'W', median, best: min, p99 },
  };
}

export const idle: Measure = {
  name: measure,
  title: 'processor time, and power, of a rank that waits for a message',
  peers: mpiPeers,
  run,
  report: (lines) =>
    reportScenarios(lines, {
      p99: '99 % at most',
      better: 'less',
      column: () => 'waiting',
    }),
  plots: (lines) =>
    byContestant(lines, {
      name: measure,
      title: 'Waiting for a message that comes late – less is better',
      subtitle: 'processor time in per cent of one core, median; the axis is logarithmic',
      unit: '% of a core',
      scale: 'log',
      keeps: ({ figure }) => figure.unit === '%',
    }),
};

if (require.main === module) void runAlone(idle);
