import {
  init,
  type BarSeriesOption,
  type CustomSeriesOption,
  type CustomSeriesRenderItemAPI,
  type EChartsOption,
  type LineSeriesOption,
} from 'echarts';

import { Html } from './html.js';
import type { Estimate } from '../protocol/mean-estimate.js';

/** Colours are variables of the page that the drawing stands in. */
const INK = 'var(--ink)';
const MUTED = 'var(--muted)';
const GRID = 'var(--grid)';
const WIDTH = 760;
const MAX_LABEL_WIDTH = WIDTH / 2;
/** ECharts reckons with a narrow font where it cuts; the reader's may be a quarter wider. */
const CUT_LABEL_WIDTH = 0.78 * MAX_LABEL_WIDTH;
const FONT_FAMILY = 'system-ui, -apple-system, Segoe UI, Roboto, sans-serif';
/** Half the width of a 95 % interval, in standard errors. */
const WHISKER = 1.96;

/**
 * One SVG image that scales to the page's width, the same for the same option. It has no tooltips: there are no scripts.
 *
 * @param option what ECharts draws; in pixels, `height`, and the room `left` of the plot and at its `top`
 */
export function drawChart(
  name: string,
  option: EChartsOption & { height: number; left?: number; top?: number },
): Html {
  const { height, left = 64, top = 8, ...drawn } = option;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  try {
    chart.setOption({
      animation: false,
      textStyle: { fontFamily: FONT_FAMILY, color: INK },
      grid: { left, right: 76, top, bottom: 48, outerBoundsMode: 'none' },
      ...drawn,
    });
    return new Html(tidySvg(chart.renderToSVGString(), name));
  } finally {
    // Without this, a timer of the renderer keeps the process alive.
    chart.dispose();
  }
}

/** Room for the longest of the names, in pixels; wide fonts have about 8 per character. Names beyond half the width are cut. */
export function labelRoom(names: readonly string[]): number {
  return 16 + Math.min(MAX_LABEL_WIDTH, 8 * Math.max(...names.map((name) => name.length)));
}

/** Leaves out what only scripts and hovering need, and counters that differ between two drawings of the same. */
function tidySvg(svg: string, name: string): string {
  return svg
    .replace(/<style[\s\S]*?<\/style>/g, '')
    .replace(/ (?:class|ecmeta_\w+)="[^"]*"/g, '')
    .replace(/ pointer-events="visible"/g, '')
    .replace(/\bzr\d+-/g, `${name}-`);
}

/** The legend of a chart: at its top left. */
export function legend(): NonNullable<EChartsOption['legend']> {
  return {
    top: 4,
    left: 4,
    itemWidth: 14,
    itemHeight: 10,
    itemGap: 32,
    textStyle: { color: INK, fontSize: 13 },
  };
}

/** Options of an axis of echarts. */
export type Axis = Record<string, unknown>;

/** An axis of numbers, with a grid. */
export function valueAxis(name: string): Axis {
  return {
    type: 'value',
    ...axisName(name),
    splitLine: { lineStyle: { color: GRID } },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: valueLabel(),
  };
}

/** An axis of names; long ones are cut off. */
export function categoryAxis(names: readonly string[]): Axis {
  return {
    type: 'category',
    data: [...names],
    axisLine: { lineStyle: { color: GRID } },
    axisTick: { show: false },
    axisLabel: { color: INK, fontSize: 13, width: CUT_LABEL_WIDTH, overflow: 'truncate' },
  };
}

/** The name of an axis, in the middle of it. */
export function axisName(name: string): Axis {
  return { name, nameLocation: 'middle', nameGap: 32, nameTextStyle: { color: MUTED, fontSize: 12 } };
}

/** The labels of an axis of numbers. */
export function valueLabel(): Axis {
  return { color: MUTED, fontSize: 12 };
}

/** Bars in the common style. */
export function bar(series: BarSeriesOption): BarSeriesOption {
  return { type: 'bar', silent: true, itemStyle: { borderRadius: 2 }, ...series };
}

/** A line in the common style, with a circle at each point. */
export function line(series: LineSeriesOption): LineSeriesOption {
  return { type: 'line', silent: true, symbol: 'circle', symbolSize: 8, lineStyle: { width: 2 }, ...series };
}

/** Text behind each bar. */
export function endLabel(texts: readonly string[]): NonNullable<BarSeriesOption['label']> {
  return {
    show: true,
    position: 'right',
    color: INK,
    fontSize: 12,
    formatter: ({ dataIndex }) => texts[dataIndex]!,
  };
}

/** A dashed vertical line with a text at its top. */
export function verticalLine(position: number, text: string): NonNullable<BarSeriesOption['markLine']> {
  return {
    silent: true,
    symbol: 'none',
    data: [{ xAxis: position }],
    lineStyle: { color: INK, type: 'dashed', width: 1.5 },
    label: { show: true, position: 'end', formatter: text, color: INK, fontSize: 12 },
  };
}

/** The 95 % interval of each estimate; `shift` moves it beside its category, in pixels. */
export function whiskers(
  estimates: readonly Estimate[],
  options: { direction: 'right' | 'up'; shift?: number; colour?: string; labelled?: boolean },
): CustomSeriesOption {
  const { direction, shift = 0, colour = INK, labelled = false } = options;
  const place = (api: CustomSeriesRenderItemAPI, category: number, value: number): [number, number] => {
    const [x, y] = api.coord(direction === 'right' ? [value, category] : [category, value]) as [
      number,
      number,
    ];
    return direction === 'right' ? [x, y + shift] : [x + shift, y];
  };
  return {
    type: 'custom',
    silent: true,
    z: 5,
    // The axis reaches as far as these values do.
    data: estimates.map((estimate, category) =>
      direction === 'right' ? [upperEnd(estimate), category] : [category, upperEnd(estimate)],
    ),
    renderItem: ({ dataIndex }, api) => {
      const { mean, standardError } = estimates[dataIndex]!;
      const low = place(api, dataIndex, Math.max(0, mean - WHISKER * standardError));
      const high = place(api, dataIndex, upperEnd(estimates[dataIndex]!));
      return {
        type: 'group',
        children: [whiskerPath(low, high, colour), ...(labelled ? [endText(high, mean.toFixed(3))] : [])],
      };
    },
  };
}

function upperEnd({ mean, standardError }: Estimate): number {
  return mean + WHISKER * standardError;
}

/** A line between two points with a cap at each. */
function whiskerPath(low: [number, number], high: [number, number], colour: string) {
  const cap = low[0] === high[0] ? 'm-4 0h8' : 'm0 -4v8';
  const d = `M${low.join(' ')}L${high.join(' ')}${cap}M${low.join(' ')}${cap}`;
  return {
    type: 'path' as const,
    shape: { pathData: d },
    style: { stroke: colour, fill: 'none', lineWidth: 1.5 },
  };
}

function endText([x, y]: [number, number], text: string) {
  return {
    type: 'text' as const,
    style: { text, x: x + 8, y, fill: INK, fontSize: 12, textVerticalAlign: 'middle' as const },
  };
}
