import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import type { FeatureMatrix } from '../../../../src/features/feature-matrix.js';
import type { RankingRows } from '../../../../src/offline/training/ranker/ranking-rows.js';

export function buildMatrix(rows: readonly (readonly number[])[]): FeatureMatrix {
  const columns = rows[0]?.length ?? 0;
  return { data: Float32Array.from(rows.flat()), rows: rows.length, columns };
}

/** One entry per row: its grade, then its features. */
export function buildRows(queries: readonly (readonly (readonly number[])[])[]): RankingRows {
  const rows = queries.flat();
  let end = 0;
  return {
    matrix: buildMatrix(rows.map((row) => row.slice(1))),
    labels: Float32Array.from(rows, (row) => row[0]!),
    groupOffsets: Uint32Array.from([0, ...queries.map((query) => (end += query.length))]),
  };
}

/** Normal features; `grade` says what a row of features is worth. */
export function drawRows(options: {
  queries: number;
  rowsPerQuery: number;
  columns: number;
  seed: number;
  grade: (features: readonly number[], uniform: number) => number;
}): RankingRows {
  const random = createSeededRandom(options.seed);
  return buildRows(
    Array.from({ length: options.queries }, () =>
      Array.from({ length: options.rowsPerQuery }, () => {
        const features = Array.from({ length: options.columns }, () => Math.fround(random.normal()));
        return [options.grade(features, random.uniform()), ...features];
      }),
    ),
  );
}
