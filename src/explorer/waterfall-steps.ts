import type { Contributions } from './contract.js';

/** One bar of a waterfall: from where the bars before it end. */
export interface WaterfallStep {
  readonly name: string;
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

/** The contributions as bars from the baseline to the score, the largest first; together they lie between `least` and `most`. */
export function layOutWaterfall({ baseline, score, groups }: Contributions): {
  steps: WaterfallStep[];
  least: number;
  most: number;
} {
  let from = baseline;
  const steps = Object.entries(groups)
    .sort(([, one], [, other]) => Math.abs(other) - Math.abs(one))
    .map(([name, value]) => {
      const step = { name, value, from, to: from + value };
      from += value;
      return step;
    });
  const ends = [baseline, score, ...steps.map(({ to }) => to)];
  return { steps, least: Math.min(...ends), most: Math.max(...ends) };
}
