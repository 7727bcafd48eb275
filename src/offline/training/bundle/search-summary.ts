import { type Static, Type } from 'typebox';
import type { Manifest } from '../../../bundle/manifest.js';
import { EVALUATION_PROTOCOLS } from '../../../config/evaluation-protocol.js';
import { TrainingConfig } from '../../../config/training-config.js';
import { listProblems } from '../../../config/list-problems.js';
import { ShortlistError } from '../../../domain/errors.js';

const JudgedTrial = Type.Object({
  trial: Type.Integer({ minimum: 0 }),
  values: Type.Record(Type.String(), Type.Number()),
  ndcg: Type.Number(),
  difference: Type.Number(),
  standardError: Type.Number(),
});

/** What a search for training parameters saw and chose: `training.search` of a manifest. */
export const SearchSummary = Type.Object({
  protocol: Type.Enum([...EVALUATION_PROTOCOLS]),
  /** Length of the judged lists. */
  k: Type.Integer({ minimum: 1 }),
  /** How many were made, that of the config among them. */
  trials: Type.Integer({ minimum: 1 }),
  judged: Type.Object({ queries: Type.Integer(), users: Type.Integer() }),
  /** nDCG@k of the config as it is. */
  config: Type.Object({ ndcg: Type.Number() }),
  /** Standard errors above it that counted as more than chance. */
  errorsNeeded: Type.Number(),
  /** The highest figure, whether or not it was chosen. */
  best: JudgedTrial,
  /** What was trained; trial 0 is the config as it is. */
  chosen: JudgedTrial,
});

/** The record of a search, typed as its schema says. */
export type SearchSummary = Static<typeof SearchSummary>;

/** The parameters of a bundle that a search chose them for, and that search. */
export interface Tuning {
  readonly config: TrainingConfig;
  readonly search: SearchSummary;
}

/**
 * The search that a bundle was trained after, and the config that it was trained with; undefined where there was none.
 * @throws ShortlistError INVALID_BUNDLE when this release cannot train it again
 */
export function readTuning({
  training,
  version,
}: Pick<Manifest, 'training' | 'version'>): Tuning | undefined {
  if (training['search'] === undefined) return undefined;
  const problems = [
    ...listProblems(SearchSummary, training['search'], { origin: 'training.search' }),
    ...listProblems(TrainingConfig, training['config'], { origin: 'training.config' }),
  ];
  if (problems.length === 0) return training as unknown as Tuning;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `What ${version} says of the search for its parameters cannot be used: run \`shortlist train\` again.`,
    { problems },
  );
}
