// Pictures of ratios.
import type { MeasureLine, ResultLine } from '../lib/json.js';
import { only, unique } from '../lib/report.js';
import { formatBytes, formatNumber } from '../lib/table.js';
import type { Bar, Plot } from './plot.js';
import { barPlot, byBytes, type Look } from './series.js';

/** Everybody's figures over Open MPI's of the same case; as they are, where it did not run. */
export function overOpenmpi(lines: MeasureLine[], look: Look): Plot[] {
  const references = only(lines, 'result').filter(({ contestant }) => contestant === 'openmpi');
  if (references.length === 0) return byBytes(lines, look);
  const key = ({ scenario, ranks, bytes }: ResultLine) => [scenario, ranks, bytes].join(' ');
  const medians = new Map(references.map((one) => [key(one), one.figure.median]));
  return byBytes(lines, {
    ...look,
    title: `${look.title.replace(' – ', ", in multiples of Open MPI's time – ")}`,
    unit: '× Open MPI',
    level: { at: 1, title: 'Open MPI' },
    keeps: ({ contestant }) => contestant !== 'openmpi',
    figure: (result) => {
      const median = medians.get(key(result));
      return median === undefined ? undefined : result.figure.median / median;
    },
  });
}

/** The ratios that a measure made, a bar for each length, a panel for each scenario. */
export function ratioBars(lines: MeasureLine[], look: Look): Plot[] {
  const all = only(lines, 'ratio');
  const ratios = unique(all.map(({ scenario }) => scenario)).flatMap((scenario) =>
    all.filter((ratio) => ratio.scenario === scenario),
  );
  const drivers = unique(ratios.filter(({ bytes }) => bytes > 0).map(({ of }) => of));
  const bars = ratios.map(({ of: id, scenario = '', bytes, value }): Bar => {
    const driver = drivers.length > 1 ? `${id.split('/')[1]}, ` : '';
    const title = bytes === 0 ? scenario : `${scenario}, ${driver}${formatBytes(bytes)}`;
    return { id, title, value, text: `${formatNumber(value)} ×` };
  });
  return bars.length === 0 ? [] : barPlot({ ...look, columns: 1, level: { at: 1, title: '' } }, [{ bars }]);
}
