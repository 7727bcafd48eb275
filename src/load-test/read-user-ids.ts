import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { ShortlistError } from '../domain/errors.js';
import { duckdbMessage, openDatabase, queryRows, quoteLiteral } from '../offline/data/database.js';

/**
 * Reads user ids: the column `user_id` of a parquet file (the users table of a prepared dataset is one), a JSON list of texts or
 * numbers, or any other file as one id per line.
 *
 * @throws ShortlistError INVALID_DATASET when the file cannot be read or names nobody
 */
export async function readUserIds(file: string): Promise<string[]> {
  const ids = await readIds(file).catch((cause: unknown) => {
    if (cause instanceof ShortlistError) throw cause;
    throw new ShortlistError('INVALID_DATASET', `${file} cannot be read: ${duckdbMessage(cause)}`, { cause });
  });
  if (ids.length === 0) throw new ShortlistError('INVALID_DATASET', `${file} names no user.`);
  return ids;
}

async function readIds(file: string): Promise<string[]> {
  if (extname(file) === '.parquet') return readParquet(file);
  const text = await readFile(file, 'utf8');
  if (extname(file) === '.json') return readJson(text, file);
  return text.split(/\r?\n/).filter((line) => line !== '');
}

async function readParquet(file: string): Promise<string[]> {
  const database = await openDatabase();
  try {
    const rows = await queryRows(
      database.connection,
      `SELECT CAST(user_id AS VARCHAR) AS id FROM read_parquet(${quoteLiteral(file)}) WHERE user_id IS NOT NULL`,
    );
    return rows.map(({ id }) => id as string);
  } finally {
    database.close();
  }
}

function readJson(text: string, file: string): string[] {
  const ids: unknown = JSON.parse(text);
  const isList = Array.isArray(ids) && ids.every((id) => typeof id === 'string' || typeof id === 'number');
  if (!isList)
    throw new ShortlistError('INVALID_DATASET', `${file} is no JSON list of ids (texts or numbers).`);
  return ids.map(String);
}
