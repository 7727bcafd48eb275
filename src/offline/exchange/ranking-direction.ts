import type { Ranker } from '../../ranking/ranker.js';
import { estimateMean, type Estimate } from '../protocol/mean-estimate.js';
import type { LabelledRows } from './labelled-rows.js';

/**
 * Share of the pairs in which a ranker puts what a user took above what the user did not take; .5 by chance.
 */
export interface PairAccuracy extends Estimate {
  readonly queries: number;
}

/** Fewer queries say nothing. */
const LEAST_QUERIES = 5;

/** So many standard errors below chance are no accident. */
const CERTAIN = 2;

/** The pair accuracy over queries, each with the same weight (the area under its ROC curve); undefined for too few queries. */
export async function measurePairAccuracy(
  ranker: Ranker,
  queries: readonly LabelledRows[],
): Promise<PairAccuracy | undefined> {
  if (queries.length < LEAST_QUERIES) return undefined;
  const shares: number[] = [];
  for (const { matrix, taken } of queries) shares.push(countPairs(await ranker.rank(matrix), taken));
  return { ...estimateMean(shares), queries: queries.length };
}

/** True when a ranker is worse than chance by more than its own uncertainty. */
export function isWorseThanChance({ mean, standardError }: Estimate, chance: number): boolean {
  return mean + CERTAIN * standardError < chance;
}

/** The share of pairs of one taken row and one other in which the taken one is above; equal scores are half a pair. */
function countPairs(scores: Float32Array, taken: Uint8Array): number {
  const of = (label: number): Float32Array => scores.filter((_, row) => taken[row] === label);
  const [others, chosen] = [of(0).sort(), of(1)];
  let above = 0;
  for (const score of chosen) {
    const below = others.findIndex((other) => other >= score);
    const upTo = others.findIndex((other) => other > score);
    above += ((below < 0 ? others.length : below) + (upTo < 0 ? others.length : upTo)) / 2;
  }
  return above / (chosen.length * others.length);
}
