import type { Estimate } from '../protocol/mean-estimate.js';

/** 3711 → `3,711`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en');
}

/** .15234 → `0.1523`. */
export function formatScore(score: number): string {
  return score.toFixed(4);
}

/** .0102 → `+0.0102`, -.0102 → `-0.0102`. */
export function formatDifference(difference: number): string {
  return `${difference < 0 ? '-' : '+'}${formatScore(Math.abs(difference))}`;
}

/** .1234 → `12.3 %`. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** .1234 → `+12.3 %`; `–` where there is nothing to compare with. */
export function formatLift(lift: number | null): string {
  if (lift === null) return '–';
  return `${lift < 0 ? '-' : '+'}${formatShare(Math.abs(lift))}`;
}

/** A mean with its standard error: `0.1523 ± 0.0041`. */
export function formatEstimate({ mean, standardError }: Estimate): string {
  return `${formatScore(mean)} ± ${formatScore(standardError)}`;
}

/** As formatShare; `–` where there is none. */
export function formatOptionalShare(share: number | null): string {
  return share === null ? '–' : formatShare(share);
}
