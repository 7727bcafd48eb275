import type { CandidateSet } from '../../domain/candidate.js';
import { estimateMean, type Estimate } from './mean-estimate.js';
import { idealGain } from './ranking-metrics.js';
import type { EvaluationQuery } from './splits.js';

/** Recall of the candidates that stage 1 hands to stage 2. */
export interface CandidateFigures {
  /** Candidates per query. */
  readonly meanCount: number;
  /** Share of the relevant items that are among the candidates, mean over queries: no ranker can recall more. */
  readonly recall: Estimate;
  /** nDCG@k of a perfect ranker over the candidates, mean over queries: no ranker can score more. */
  readonly ndcgCeiling: number;
  /** In the scenario's order. */
  readonly sources: readonly SourceFigures[];
}

/** The part of one candidate source in the candidates of a split. */
export interface SourceFigures {
  readonly name: string;
  /** Share of all candidates that this source retrieved (several sources may retrieve the same). */
  readonly share: number;
  /** Share of the relevant items among the candidates that this source retrieved, mean over queries. */
  readonly recall: number;
  /** Share of the relevant items that only this source retrieved, mean over queries. */
  readonly uniqueRecall: number;
}

/** Adds up what stage 1 found, query by query, so that no candidate set need be kept. */
export interface CandidateTally {
  add(query: EvaluationQuery, candidates: Pick<CandidateSet, 'items' | 'ranks'>): void;
  /** @throws RangeError when no query was added. */
  summarise(): CandidateFigures;
}

/** @param sources names of the sources, in the order of the candidate sets' ranks */
export function createCandidateTally(
  sources: readonly string[],
  options: { k?: number | undefined } = {},
): CandidateTally {
  const { k = 10 } = options;
  const recalls: number[] = [];
  const ceilings: number[] = [];
  const tallies = sources.map((name) => ({ name, candidates: 0, recall: 0, uniqueRecall: 0 }));
  let candidateCount = 0;
  return {
    add: (query, { items, ranks }) => {
      const relevant = new Set(query.relevant);
      let hits = 0;
      items.forEach((item, position) => {
        const found = tallies.filter((_, source) => ranks[position * sources.length + source]! > 0);
        const worth = relevant.has(item) ? 1 / relevant.size : 0;
        if (worth > 0) hits++;
        for (const tally of found) tally.candidates++;
        for (const tally of found) tally.recall += worth;
        if (found.length === 1) found[0]!.uniqueRecall += worth;
      });
      candidateCount += items.length;
      recalls.push(hits / relevant.size);
      ceilings.push(idealGain(Math.min(k, hits)) / idealGain(Math.min(k, relevant.size)));
    },
    summarise: () => {
      const queries = recalls.length;
      if (queries === 0) throw new RangeError('no query was added to the candidate tally');
      return {
        meanCount: candidateCount / queries,
        recall: estimateMean(recalls),
        ndcgCeiling: estimateMean(ceilings).mean,
        sources: tallies.map(({ name, candidates, recall, uniqueRecall }) => ({
          name,
          share: candidates / Math.max(1, candidateCount),
          recall: recall / queries,
          uniqueRecall: uniqueRecall / queries,
        })),
      };
    },
  };
}
