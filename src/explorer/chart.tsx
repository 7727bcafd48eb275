import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import UPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { formatDuration, formatNumber } from './format.js';
import type { ChartPlan } from './series.js';

const HEIGHT = 150;
const SECONDS = 600;
/** What a chart shows of the time at least, so that its first lines can be seen. */
const LEAST_SECONDS = 60;

/** One chart of the last ten minutes, with its newest values as text. */
export function Chart(props: {
  plan: ChartPlan;
  times: readonly number[];
  values: readonly (readonly (number | undefined)[])[];
}): VNode {
  const { plan, times, values } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | undefined>(undefined);
  useEffect(() => {
    const element = place.current!;
    const draw = (): void => {
      plot.current?.destroy();
      plot.current = new UPlot(createOptions(plan, element), toData(times, values), element);
    };
    draw();
    const theme = matchMedia('(prefers-color-scheme: dark)');
    theme.addEventListener('change', draw);
    const sizes = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    sizes.observe(element);
    return () => {
      theme.removeEventListener('change', draw);
      sizes.disconnect();
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [plan]);
  useEffect(() => plot.current?.setData(toData(times, values)), [times, values]);
  return (
    <section class="card chart">
      <h3>{plan.title}</h3>
      <ul class="plain legend">
        {plan.lines.map(({ name }, line) => (
          <li key={name} hidden={values[line]!.every((value) => value === undefined)}>
            <span class={`swatch line-${line}`} aria-hidden="true" /> {name}{' '}
            <b>{show(values[line]!.at(-1), plan.unit)}</b>
          </li>
        ))}
      </ul>
      <div ref={place} class="plot" aria-hidden="true" />
      <p class="hint">{plan.hint}</p>
    </section>
  );
}

function toData(
  times: readonly number[],
  values: readonly (readonly (number | undefined)[])[],
): UPlot.AlignedData {
  return [[...times], ...values.map((line) => line.map((value) => value ?? null))];
}

function createOptions(plan: ChartPlan, element: HTMLElement): UPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis: UPlot.Axis = {
    stroke: colour('--quiet'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      x: {
        time: true,
        range: (_plot, least, most) => [
          Math.max(most - SECONDS, Math.min(least, most - LEAST_SECONDS)),
          most,
        ],
      },
      y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        space: 70,
        values: (_plot, times, _axis, _space, step) => times.map((time) => formatClock(time, step)),
        size: 26,
      },
      {
        ...axis,
        size: plan.unit === 's' ? 64 : 46,
        space: 34,
        values: (_plot, ticks) =>
          ticks.map((tick) => (plan.unit === 's' ? formatDuration(tick) : formatNumber(tick))),
      },
    ],
    series: [
      {},
      ...plan.lines.map((_, line) => ({
        stroke: colour(`--line-${line}`),
        width: 2,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

/** With seconds where the ticks are closer than a minute. */
function formatClock(seconds: number, step: number): string {
  return new Date(1000 * seconds).toTimeString().slice(0, step < 60 ? 8 : 5);
}

function show(value: number | undefined, unit: ChartPlan['unit']): string {
  if (value === undefined) return '–';
  if (unit === 's') return formatDuration(value);
  return unit === '' ? formatNumber(value) : `${formatNumber(value)}${unit === '/s' ? '' : ' '}${unit}`;
}
