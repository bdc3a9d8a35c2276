// The npm package echarts, if the user has installed it: draws SVG without a browser. No dependency of this one.
import { resolveOptional, whyNot } from '../lib/optional.js';

/** Of echarts 6, what is used here. */
interface Echarts {
  init(element: null, theme: null, options: { renderer: 'svg'; ssr: true; width: number; height: number }): Chart;
}
interface Chart {
  setOption(option: object): void;
  renderToSVGString(options: { useViewBox: boolean }): string;
  dispose(): void;
}

/** Why it cannot be used, or undefined. */
export function whyNoEcharts(): string | undefined {
  return whyNot('echarts', 6);
}

export function renderSvg(option: object, width: number, height: number): string {
  const { init } = require(resolveOptional('echarts')!) as Echarts;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return still(chart.renderToSVGString({ useViewBox: true }));
  } finally {
    // Or a timer of it would keep the process.
    chart.dispose();
  }
}

/** Without what a mouse would do, and without clipping, since nothing lies outside its panel: the names of both count the charts of this process. */
function still(svg: string): string {
  return svg
    .replace(/<defs.*?<\/defs>\n?|<style.*?<\/style>\n?/gs, '')
    .replace(/ (class|pointer-events|clip-path)="[^"]*"/g, '');
}
