import { ShortlistError } from '../../../domain/errors.js';
import { readParquetColumns } from '../../../features/read-parquet-columns.js';
import { readOrRefuse } from '../../data/read-or-refuse.js';
import type { GoldenBatch } from './features-file.js';

/** The column of what the model gave. */
const SCORE = 'score';

/** The column that may say which rows the model scored together. */
const QUERY = 'query';

/**
 * Reads a golden batch from parquet: one column per feature, `score` with what the model gave each row, and, where rows were scored
 * together by query, `query` with its number.
 * @throws ShortlistError INVALID_CONFIG when the file or a column is missing, or a value is no number
 */
export async function readGoldenBatch(file: string, features: readonly string[]): Promise<GoldenBatch> {
  const { rows, columns: found } = await readParquetColumns(await readOrRefuse(file), file);
  const problems = rows === 0 ? ['it has no rows'] : [];
  const wanted = [...features, SCORE, ...(found.has(QUERY) ? [QUERY] : [])];
  const columns = wanted.map((name) => {
    if (!found.has(name)) problems.push(`it has no column '${name}'`);
    const values = (found.get(name) ?? []).map((value) => Number(value ?? Number.NaN));
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) problems.push(`column '${name}', row ${bad + 1}: not a number`);
    return values;
  });
  if (problems.length > 0) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `${file} is no golden batch: give it each feature of features.yaml and '${SCORE}'.`,
      { problems },
    );
  }
  const queries = found.has(QUERY) ? columns.pop() : undefined;
  const scores = columns.pop()!;
  const inputs = scores.map((_, row) => columns.map((values) => values[row]!));
  return { inputs, scores, ...(queries !== undefined && { queries }) };
}
