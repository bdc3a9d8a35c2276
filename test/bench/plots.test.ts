import { DOMParser } from '@xmldom/xmldom';
import { measures } from '../../bench/main.js';
import { draw } from '../../bench/plots/draw.js';
import type { Plot } from '../../bench/plots/plot.js';
import { themes } from '../../bench/plots/theme.js';
import { type Changes, recorded } from './recorded.js';

/** All plots of a run, by measure. */
function plotsOf(changes?: Changes): Map<string, Plot[]> {
  const run = recorded(changes);
  return new Map(
    measures.map(({ name, plots }) => [name, plots(run.measures.find((one) => one.name === name)!.findings)]),
  );
}

function all(changes?: Changes): Plot[] {
  return [...plotsOf(changes).values()].flat();
}

/** Throws where it is no XML. */
function textsOf(svg: string): string[] {
  const document = new DOMParser({ onError: (level, message) => fail(`${level}: ${message}`) }).parseFromString(
    svg,
    'image/svg+xml',
  );
  return [...document.getElementsByTagName('text')].map((text) => text.textContent ?? '');
}

function fail(message: string): never {
  throw new Error(message);
}

/** What a reader must not see, and a viewer cannot draw. */
const senseless = /NaN|undefined|null|Infinity|\[object/;

function drawn(plot: Plot): string {
  const svg = draw(plot, 'light');
  expect(svg).toMatch(/^<svg /);
  expect(svg).not.toMatch(senseless);
  return svg;
}

describe('plots', () => {
  test('every measure has one, and names of files are not used twice', () => {
    const plots = plotsOf();
    for (const { name } of measures) expect(plots.get(name)!.map((plot) => plot.name)).toContain(name);
    const names = all().map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test.each(all().map((plot) => [plot.name, plot] as const))(
    '%s is SVG, and says what and whom it shows',
    (_, plot) => {
      expect(plot.title).toMatch(/ – (less|more) is better$/);
      const texts = textsOf(drawn(plot)).join('\n');
      for (const text of [plot.title, plot.subtitle]) expect(texts).toContain(text);
      for (const panel of plot.panels) {
        expect(texts).toContain(panel.heading ?? '');
        const rows = panel.kind === 'lines' ? panel.lines : panel.bars;
        for (const { title } of rows) expect(texts).toContain(title);
        for (const { text } of panel.x.ticks) expect(texts).toContain(text);
        expect(texts).toContain(panel.x.title);
      }
    },
  );

  test.each(['latency', 'bandwidth', 'rate', 'overlap', 'idle', 'notify', 'scale', 'counter'])(
    '%s shows everybody who ran',
    (name) => {
      const { findings } = recorded().measures.find((one) => one.name === name)!;
      const titles = findings.flatMap((line) => (line.bench === 'result' ? line.title : []));
      const texts = plotsOf()
        .get(name)!
        .flatMap((plot) => textsOf(draw(plot, 'light')));
      expect(texts).toEqual(expect.arrayContaining(titles));
    },
  );

  test('the same run makes the same files, whatever was drawn before', () => {
    const [first, second] = all();
    const alone = draw(second, 'light');
    draw(first, 'light');
    expect(draw(second, 'light')).toBe(alone);
  });

  test('dark pages get the same in other colours', () => {
    const [light, dark] = themes.map((theme) => draw(all()[0], theme));
    const withoutColors = (svg: string) => svg.replace(/#[0-9a-f]{3,6}\b/g, '#');
    expect(light).not.toBe(dark);
    expect(withoutColors(light)).toBe(withoutColors(dark));
  });

  test.each<[string, Changes]>([
    ['a single size', { sizes: [8] }],
    ['nobody but us', { has: (id) => id.startsWith('uintr') }],
    ['no Open MPI to compare with', { has: (id) => id !== 'openmpi' }],
    ['figures of 0', { median: () => 0 }],
    ['figures below 0', { median: (at) => -at }],
    ['figures far apart', { median: (at) => 1e-4 * 10 ** at }],
    ['figures that are all the same', { median: () => 5 }],
  ])('%s can be drawn', (_, changes) => {
    const plots = all(changes);
    expect(plots.length).toBeGreaterThanOrEqual(measures.length - 1);
    for (const plot of plots) drawn(plot);
  });

  test('where nothing ran, nothing is drawn', () => {
    expect(all({ has: () => false })).toEqual([]);
    expect(measures.flatMap(({ plots }) => plots([]))).toEqual([]);
  });

  test('collective operations are multiples of Open MPI, or times without it', () => {
    const units = (changes?: Changes) =>
      plotsOf(changes)
        .get('collectives')![0]
        .panels.map((panel) => panel.kind === 'lines' && panel.y.title);
    expect(new Set(units())).toEqual(new Set(['× Open MPI']));
    expect(new Set(units({ has: (id) => id !== 'openmpi' }))).toEqual(new Set(['µs']));
  });

  test('what is drawn at the edge because it is beyond is said', () => {
    const [plot] = plotsOf({ median: (at) => at }).get('madmpi')!;
    expect(plot.subtitle).toMatch(/; beyond -0.5 … 2 at the edge$/);
    const highest = Math.max(
      ...plot.panels
        .flatMap((panel) => (panel.kind === 'lines' ? panel.lines : []))
        .flatMap(({ points }) => points.map(([, y]) => y)),
    );
    expect(highest).toBe(2);
    expect(plotsOf({ median: () => 0.5 }).get('madmpi')![0].subtitle).not.toContain('edge');
  });
});
