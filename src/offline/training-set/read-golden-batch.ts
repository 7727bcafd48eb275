import { ShortlistError } from '../../domain/errors.js';
import { readParquetColumns } from '../../features/read-parquet-columns.js';
import { readOrRefuse } from '../read-or-refuse.js';
import type { GoldenBatch } from './features-file.js';

/** The column of what the model gave. */
const SCORE = 'score';

/**
 * Reads a golden batch from parquet: one column per feature, and `score` with what the model gave each row.
 * @throws ShortlistError INVALID_CONFIG when the file or a column is missing, or a value is no number
 */
export async function readGoldenBatch(file: string, features: readonly string[]): Promise<GoldenBatch> {
  const { rows, columns: found } = await readParquetColumns(await readOrRefuse(file), file);
  const problems = rows === 0 ? ['it has no rows'] : [];
  const columns = [...features, SCORE].map((name) => {
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
  const scores = columns.pop()!;
  return { inputs: scores.map((_, row) => columns.map((values) => values[row]!)), scores };
}
