import { createHash } from 'node:crypto';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { readParquetColumns } from '../../features/read-parquet-columns.js';
import type { SplitFacts } from '../protocol/splits.js';

/**
 * The nDCG of every ranking for each query, split after split, by which two evaluations are compared. Plain
 * JSON.
 */
export interface QueryFigures {
  /** SHA-256 over all queries and what they had to find: two evaluations with one fingerprint asked the same. */
  readonly fingerprint: string;
  /** Label of its split per query. */
  readonly split: readonly string[];
  /** User index per query. */
  readonly user: readonly number[];
  /** nDCG@k per query, by ranking. */
  readonly ndcg: Readonly<Record<string, readonly number[]>>;
}

/** The file of a bundle that holds them. */
export const QUERIES_FILE = 'queries.parquet';

const NDCG_PREFIX = 'ndcg.';
const FINGERPRINT_KEY = 'queries';

/**
 * Puts the nDCG of every query together, in the order of the splits, with a hash of what was asked.
 * @param ndcg per ranking, one value per query over all splits
 */
export function collectQueryFigures(
  splits: readonly SplitFacts[],
  ndcg: ReadonlyMap<string, ArrayLike<number>>,
): QueryFigures {
  const hash = createHash('sha256');
  for (const { label, queries } of splits) {
    for (const { user, relevant } of queries) {
      hash.update(`${label}\t${user}\t${[...relevant].sort((a, b) => a - b).join(',')}\n`);
    }
  }
  return {
    fingerprint: hash.digest('hex'),
    split: splits.flatMap(({ label, queries }) => queries.map(() => label)),
    user: splits.flatMap(({ queries }) => queries.map(({ user }) => user)),
    ndcg: Object.fromEntries([...ndcg].map(([name, values]) => [name, Array.from(values)])),
  };
}

/** The parquet file of the figures: `split`, `user`, and `ndcg.<ranking>` for each ranking. */
export function encodeQueryFigures({ fingerprint, split, user, ndcg }: QueryFigures): Uint8Array {
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'split', data: [...split], type: 'STRING', nullable: false },
        { name: 'user', data: Int32Array.from(user), type: 'INT32', nullable: false },
        ...Object.entries(ndcg).map(([name, values]) => ({
          name: `${NDCG_PREFIX}${name}`,
          data: Float64Array.from(values),
          type: 'DOUBLE' as const,
          nullable: false,
        })),
      ],
      kvMetadata: [{ key: FINGERPRINT_KEY, value: fingerprint }],
      createdBy: 'shortlist',
    }),
  );
}

/** @throws ShortlistError INVALID_BUNDLE when the bytes are no such file */
export async function decodeQueryFigures(bytes: Uint8Array, name: string): Promise<QueryFigures> {
  const { columns, metadata } = await readParquetColumns(bytes, name);
  const rankings = [...columns].filter(([column]) => column.startsWith(NDCG_PREFIX));
  return {
    fingerprint: metadata.get(FINGERPRINT_KEY)!,
    split: columns.get('split') as string[],
    user: columns.get('user') as number[],
    ndcg: Object.fromEntries(
      rankings.map(([column, values]) => [column.slice(NDCG_PREFIX.length), values as number[]]),
    ),
  };
}
