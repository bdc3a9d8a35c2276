// What latency, bandwidth and rate have in common: messages between two ends, ours beside those of the MPI libraries and
// of Node's channels.
import { mpiContestants, mpiPeers, sameBuffers } from '../peers/mpi.js';
import { copyingPeers, nodeContestants, nodePeers } from '../peers/node.js';
import { uintrContestants } from '../peers/uintr.js';
import type { Plot } from '../plots/plot.js';
import type { MeasureLine } from './json.js';
import { chosen, type Measure } from './measure.js';
import { roundsOf } from './plan.js';
import { reportTimes } from './report.js';
import { compareTimes, planFor, type Timing } from './timing.js';

/** As each kind of contestant knows them. */
export type Transfer = 'latency' | 'bandwidth' | 'bibandwidth' | 'rate';

export interface Transfers extends Timing {
  measure: Transfer;
  sizes: number[];
  title: string;
  better: 'less' | 'more';
  plots(lines: MeasureLine[]): Plot[];
}

export function transferMeasure(transfers: Transfers): Measure {
  const { measure, title, better, plots } = transfers;
  return {
    name: measure,
    title,
    peers: [...mpiPeers, ...nodePeers],
    async run(options, emit) {
      const plan = planFor(options, transfers);
      const all = [uintrContestants, mpiContestants, nodeContestants].flatMap((of) => of(measure, plan));
      await compareTimes(transfers, chosen(options, all), plan, roundsOf(options), emit);
    },
    report: (lines) =>
      reportTimes(lines, {
        p99: better === 'less' ? '99 % take at most' : '99 % reach at least',
        better,
        group: { title: 'the best of Node that copies', ids: copyingPeers },
        shows: sameBuffers,
      }),
    plots,
  };
}
