// What availability and MadMPI's overlap have in common: figures of transfers in which one end computes, or both do.
import { computingContestants } from '../peers/computing.js';
import { mpiPeers } from '../peers/mpi.js';
import { byBytes, type Look } from '../plots/series.js';
import { compareFigures, type Figures } from './figures.js';
import { chosen, type Measure } from './measure.js';
import type { Program } from './mpi.js';
import { KiB, MiB, roundsOf } from './plan.js';
import { reportScenarios } from './scenario-report.js';
import { planFor } from './timing.js';

export interface Scenarios extends Pick<Figures, 'unit' | 'better' | 'read'> {
  name: Program;
  title: string;
  /** By name, what stands above the figures of each. */
  scenarios: Readonly<Record<string, string>>;
  plot: Pick<Look, 'title' | 'subtitle' | 'within'>;
}

export function scenarioMeasure({ name, title, unit, better, read, scenarios, plot }: Scenarios): Measure {
  const heading = (scenario: string) => scenarios[scenario];
  return {
    name,
    title,
    peers: mpiPeers,
    async run(options, emit) {
      const plan = planFor(options, { sizes: [64 * KiB, MiB, 16 * MiB], window: 1 });
      await compareFigures({
        measure: name,
        unit,
        better,
        contestants: chosen(options, computingContestants(name, plan)),
        rounds: roundsOf(options),
        emit,
        linesOf: () => Object.keys(scenarios).length * plan.cases.length,
        read,
      });
    },
    report: (lines) =>
      reportScenarios(lines, { p99: better === 'less' ? '99 % at most' : '99 % at least', better, heading }),
    plots: (lines) => byBytes(lines, { ...plot, name, unit, scale: 'linear', heading }),
  };
}
