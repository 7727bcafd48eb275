import { drawChart, legend, line, valueAxis } from '../src/offline/report/svg-chart.js';

/** Lines over two measures, each point with a word. */
export interface Curves {
  /** Whether both axes are by powers of two; by default they are in proportion. */
  readonly byPowers?: boolean;
  /** Names of the axes. */
  readonly x: string;
  readonly y: string;
  readonly lines: readonly {
    readonly name: string;
    readonly points: readonly { readonly x: number; readonly y: number; readonly label: string }[];
  }[];
}

/** Seen on a light page and on a dark one. */
const COLOURS: Readonly<Record<string, string>> = { ink: '#6b7280', muted: '#6b7280', grid: '#9ca3af55' };
const LINES = ['#2563eb', '#d97706', '#059669', '#db2777'];

/** An image of its own, for a page of Markdown. */
export function plotCurves({ x, y, lines, byPowers = false }: Curves): string {
  const scaling = byPowers ? ({ type: 'log', logBase: 2 } as const) : { scale: true };
  const drawing = drawChart('curves', {
    height: 420,
    top: 56,
    legend: legend(),
    xAxis: { ...valueAxis(x), ...scaling },
    yAxis: { ...valueAxis(y), ...scaling, nameGap: 46 },
    series: lines.map(({ name, points }, index) =>
      line({
        name,
        color: LINES[index % LINES.length]!,
        data: points.map((point) => [point.x, point.y]),
        label: {
          show: true,
          position: 'top',
          fontSize: 11,
          color: COLOURS['ink']!,
          formatter: ({ dataIndex }) => points[dataIndex]!.label,
        },
      }),
    ),
  });
  return `${drawing.text.replace(/var\(--(\w+)\)/g, (_, name: string) => COLOURS[name] ?? '#6b7280')}\n`;
}
