// A plot as the library's options, and so as SVG.
import { renderSvg } from './echarts.js';
import { type Box, layoutOf, legendGap, sharesAxis, width } from './layout.js';
import type { Axis, BarPanel, Level, LinePanel, Panel, Plot } from './plot.js';
import { colorOf, colors, dashOf, isEmphasised, type Theme } from './theme.js';

export function draw(plot: Plot, theme: Theme): string {
  const { height, boxes, legend } = layoutOf(plot);
  const { background, text, faint } = colors[theme];
  const shared = sharesAxis(plot.panels);
  const option = {
    animation: false,
    backgroundColor: background,
    textStyle: { fontFamily: 'sans-serif', fontSize: 12 },
    title: [
      {
        text: plot.title,
        subtext: plot.subtitle,
        left: 10,
        top: 8,
        itemGap: 6,
        textStyle: { fontSize: 16, fontWeight: 600, color: text },
        subtextStyle: { fontSize: 12, color: faint },
      },
      ...plot.panels.map((panel, i) => headingOf(panel, boxes[i], theme)),
    ],
    ...(legend && {
      legend: {
        data: legend.titles,
        left: 10,
        top: legend.top,
        width: width - 32,
        itemWidth: 28,
        itemHeight: 8,
        itemGap: legendGap,
        textStyle: { color: text },
      },
    }),
    grid: boxes.map((box) => ({ ...box, containLabel: false })),
    xAxis: plot.panels.map((panel, i) => ({
      gridIndex: i,
      ...below(panel, boxes[i], theme),
      ...(i + plot.columns < plot.panels.length && { name: '' }),
    })),
    yAxis: plot.panels.map((panel, i) => ({
      gridIndex: i,
      ...beside(panel, i % plot.columns === 0 || !shared, theme),
    })),
    series: plot.panels.flatMap((panel, i) =>
      (panel.kind === 'lines' ? linesOf(panel, plot, legend === undefined, theme) : barsOf(panel, theme)).map(
        (series) => ({ ...series, xAxisIndex: i, yAxisIndex: i, silent: true, emphasis: { disabled: true } }),
      ),
    ),
  };
  return renderSvg(option, width, height);
}

function headingOf({ heading = '' }: Panel, { left, top }: Box, theme: Theme) {
  const textStyle = { fontSize: 12, fontWeight: 600, color: colors[theme].text };
  return { text: heading, left: left - 4, top: top - 26, padding: 4, textStyle };
}

/** In pixels. */
function nearestTicks({ scale, min, max, ticks }: Axis, length: number): number {
  const place = (at: number) => (scale === 'log' ? Math.log(at / min) / Math.log(max / min) : (at - min) / (max - min));
  return Math.min(...ticks.slice(1).map(({ at }, i) => (place(at) - place(ticks[i].at)) * length));
}

/** The library places the ticks, but does not choose them. */
function axis({ title, scale, min, max, ticks }: Axis, theme: Theme) {
  const { faint, grid } = colors[theme];
  const customValues = ticks.map(({ at }) => at);
  const texts = new Map(ticks.map(({ at, text }) => [at, text]));
  return {
    type: scale === 'log' ? 'log' : 'value',
    name: title,
    nameLocation: 'middle',
    nameTextStyle: { color: faint },
    min,
    max,
    axisLabel: { customValues, formatter: (at: number) => texts.get(at) ?? '', color: faint, hideOverlap: true },
    // The grid begins there, and has them as its lines.
    axisTick: { customValues, show: false },
    axisLine: { show: true, onZero: false, lineStyle: { color: faint } },
    splitLine: { show: true, lineStyle: { color: grid } },
  };
}

function below({ x }: Panel, box: Box, theme: Theme) {
  const base = axis(x, theme);
  const narrow = nearestTicks(x, box.width) < 44 ? { fontSize: 10 } : {};
  // Or bars on a logarithmic axis would begin at 1.
  const startValue = x.scale === 'log' ? x.min : 0;
  return { ...base, nameGap: 26, startValue, axisLabel: { ...base.axisLabel, ...narrow } };
}

function beside(panel: Panel, hasTexts: boolean, theme: Theme) {
  if (panel.kind === 'lines') {
    const longest = Math.max(...panel.y.ticks.map(({ text }) => text.length));
    const base = axis(panel.y, theme);
    return hasTexts ? { ...base, nameGap: 14 + 7 * longest } : { ...base, name: '', axisLabel: { show: false } };
  }
  const { text, faint } = colors[theme];
  const ids = panel.bars.map(({ id }) => id);
  const color = (_: unknown, row: number) => (isEmphasised(ids[row]) ? colorOf(ids[row], theme) : text);
  return {
    type: 'category',
    inverse: true,
    data: panel.bars.map(({ title }) => title),
    axisLabel: { show: hasTexts, interval: 0, color },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: faint } },
  };
}

function linesOf({ lines, level }: LinePanel, { panels }: Plot, titlesAtEnds: boolean, theme: Theme) {
  const ids = panels.flatMap((panel) => (panel.kind === 'lines' ? panel.lines.map(({ id }) => id) : []));
  const all = [...new Set(ids)];
  return lines.map(({ id, title, points }, i) => {
    const color = colorOf(id, theme);
    const strong = isEmphasised(id);
    return {
      type: 'line',
      name: title,
      data: points,
      clip: false,
      z: strong ? 4 : 3,
      symbol: 'circle',
      symbolSize: strong ? 7 : 5,
      itemStyle: { color },
      lineStyle: { color, width: strong ? 3 : 1.5, type: dashOf(id, all) },
      ...(titlesAtEnds && {
        endLabel: { show: true, formatter: title, distance: 8, color, fontWeight: strong ? 600 : 400 },
        labelLayout: { moveOverlap: 'shiftY' },
      }),
      ...(i === 0 && level && { markLine: markOf({ yAxis: level.at }, level, theme) }),
    };
  });
}

function barsOf({ bars, level }: BarPanel, theme: Theme) {
  const { text } = colors[theme];
  const data = bars.map(({ id, value, text: figure }) => ({
    value: value ?? '-',
    itemStyle: { color: colorOf(id, theme) },
    label: { show: value !== undefined, formatter: figure, fontWeight: isEmphasised(id) ? 600 : 400 },
  }));
  return [
    {
      type: 'bar',
      data,
      clip: false,
      barWidth: 14,
      label: { position: 'right', color: text, distance: 4 },
      ...(level && { markLine: markOf({ xAxis: level.at }, level, theme) }),
    },
  ];
}

function markOf(where: object, { title }: Level, theme: Theme) {
  const { text } = colors[theme];
  return {
    silent: true,
    symbol: 'none',
    precision: 6,
    lineStyle: { color: text, type: 'dashed', width: 1 },
    label: { formatter: title, color: text, fontSize: 11, position: 'xAxis' in where ? 'end' : 'insideStartTop' },
    data: [where],
  };
}
