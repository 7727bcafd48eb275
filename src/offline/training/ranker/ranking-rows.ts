import { ShortlistError } from '../../../domain/errors.js';
import type { FeatureMatrix } from '../../../features/feature-matrix.js';

/** Labelled candidates of many queries: what a ranker is trained and validated on. */
export interface RankingRows {
  readonly matrix: FeatureMatrix;
  /** Relevance grade per row, 0 (not relevant) to 30; the gain of a grade is 2^grade − 1. */
  readonly labels: Float32Array;
  /** How much each row counts, above 0; all alike, 1, when absent. */
  readonly weights?: Float32Array | undefined;
  /** Rows of query q are `groupOffsets[q] .. groupOffsets[q + 1]`; length queries + 1. */
  readonly groupOffsets: Uint32Array;
}

/** More rows than this in one query cannot be ordered exactly (see `orderByScore`). */
export const MAX_ROWS_PER_QUERY = 2 ** 21;

const MAX_GRADE = 30;

/**
 * Refuses rows that nothing right can be learned from.
 * @throws ShortlistError TRAINING_FAILED naming every problem: lengths that do not fit, offsets that do not ascend,
 * labels that are no grades, weights that are not above 0, features that are not finite (with row and column)
 */
export function checkRankingRows(train: RankingRows, validation: RankingRows | undefined): void {
  const problems = listProblems('training', train);
  if (validation !== undefined) {
    problems.push(...listProblems('validation', validation));
    if (validation.matrix.columns !== train.matrix.columns) {
      problems.push(
        `validation rows have ${validation.matrix.columns} columns, training rows ${train.matrix.columns}`,
      );
    }
  }
  if (problems.length === 0) return;
  throw new ShortlistError('TRAINING_FAILED', 'The ranker cannot be trained on these rows.', { problems });
}

function listProblems(set: string, { matrix, labels, weights, groupOffsets }: RankingRows): string[] {
  const problems: string[] = [];
  if (matrix.rows === 0 || matrix.columns === 0) {
    problems.push(`${set} matrix is ${matrix.rows} × ${matrix.columns}: it needs a row and a column`);
  }
  if (matrix.data.length !== matrix.rows * matrix.columns) {
    problems.push(
      `${set} matrix holds ${matrix.data.length} values, not ${matrix.rows} rows × ${matrix.columns} columns`,
    );
  }
  if (labels.length !== matrix.rows) {
    problems.push(`${set} has ${labels.length} labels for ${matrix.rows} rows`);
  }
  const badLabel = labels.findIndex((label) => !(label >= 0 && label <= MAX_GRADE));
  if (badLabel >= 0) {
    problems.push(`${set} label ${labels[badLabel]} of row ${badLabel} is not a grade of 0 to ${MAX_GRADE}`);
  }
  if (weights !== undefined) problems.push(...listWeightProblems(set, weights, matrix.rows));
  const badFeature = matrix.data.findIndex((value) => !Number.isFinite(value));
  if (badFeature >= 0) {
    problems.push(
      `${set} feature is ${matrix.data[badFeature]} in row ${Math.floor(badFeature / matrix.columns)}, ` +
        `column ${badFeature % matrix.columns}: give missing values a default`,
    );
  }
  return [...problems, ...listGroupProblems(set, groupOffsets, matrix.rows)];
}

function listWeightProblems(set: string, weights: Float32Array, rows: number): string[] {
  const bad = weights.findIndex((weight) => !(weight > 0 && weight < Number.POSITIVE_INFINITY));
  return [
    ...(weights.length === rows ? [] : [`${set} has ${weights.length} weights for ${rows} rows`]),
    ...(bad < 0 ? [] : [`${set} weight ${weights[bad]} of row ${bad} is not a number above 0`]),
  ];
}

function listGroupProblems(set: string, offsets: Uint32Array, rows: number): string[] {
  const problems: string[] = [];
  if (offsets[0] !== 0 || offsets.at(-1) !== rows) {
    problems.push(`${set} query offsets run from ${offsets[0]} to ${offsets.at(-1)}, not from 0 to ${rows}`);
  }
  for (let query = 0; query + 1 < offsets.length; query++) {
    const size = offsets[query + 1]! - offsets[query]!;
    if (size >= 0 && size <= MAX_ROWS_PER_QUERY) continue;
    problems.push(`${set} query ${query} has ${size} rows: 0 to ${MAX_ROWS_PER_QUERY} can be ranked`);
  }
  return problems;
}
