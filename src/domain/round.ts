/** Rounds to 6 decimals, as answers and logs print scores: Float32 prints as 0.10000000149. */
export function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
