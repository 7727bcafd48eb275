import { readFile } from 'node:fs/promises';
import { ShortlistError } from '../../domain/errors.js';
import { openParquet } from '../../features/parquet-file.js';
import type { GoldenBatch } from './features-file.js';

/** The column of what the model gave. */
const SCORE = 'score';

/**
 * Reads a golden batch from parquet: one column per feature, and `score` with what the model gave each row.
 * @throws ShortlistError INVALID_CONFIG when the file or a column is missing, or a value is no number
 */
export async function readGoldenBatch(file: string, features: readonly string[]): Promise<GoldenBatch> {
  const parquet = await openParquet(await readBytes(file), file);
  const missing = [...features, SCORE].filter((name) => !parquet.columns.has(name));
  const problems = missing.map((name) => `it has no column '${name}'`);
  if (parquet.rows === 0) problems.push('it has no rows');
  const columns: number[][] = [];
  if (problems.length === 0) {
    for (const name of [...features, SCORE]) {
      const values: number[] = [];
      await parquet.readColumn(name, (block) => {
        for (let row = 0; row < block.length; row++) values.push(Number(block[row] ?? Number.NaN));
      });
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) problems.push(`column '${name}', row ${bad + 1}: not a number`);
      columns.push(values);
    }
  }
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

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
