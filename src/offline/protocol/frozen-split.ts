import { readFile } from 'node:fs/promises';
import { ShortlistError } from '../../domain/errors.js';
import type { InteractionTable } from '../../domain/interactions.js';

/** A pair of indexes that a frozen split holds out. */
export interface HeldOutPair {
  readonly user: number;
  readonly item: number;
}

const MAX_PROBLEMS = 20;

/**
 * The held-out pairs of a frozen split: one line per pair, raw user id, tab, raw item id, without a header.
 *
 * @throws ShortlistError INVALID_DATASET naming each line (the first 20) that is not a pair of this table.
 */
export async function readFrozenSplit(file: string, table: InteractionTable): Promise<HeldOutPair[]> {
  const lines = (await readFile(file, 'utf8')).split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const known = new Set(
    Array.from(table.user, (user, row) => pairKey(table, { user, item: table.item[row]! })),
  );
  const parsed = lines.map((line) => parsePair(line, { table, known }));
  const problems = parsed.flatMap((pair, index) =>
    typeof pair === 'string' ? [`line ${index + 1}: ${pair}`] : [],
  );
  if (problems.length > 0) throw frozenSplitError(file, problems);
  return parsed.filter((pair) => typeof pair !== 'string');
}

/** A number that only this pair has. */
export function pairKey(table: InteractionTable, pair: HeldOutPair): number {
  return pair.user * table.items.size + pair.item;
}

/** The pair that a line names, or what is wrong with the line. */
function parsePair(
  line: string,
  context: { table: InteractionTable; known: ReadonlySet<number> },
): HeldOutPair | string {
  const { table, known } = context;
  const [userId = '', itemId = '', ...rest] = line.split('\t');
  if (itemId === '' || rest.length > 0) {
    return `expected a user id, a tab and an item id, got ${JSON.stringify(line)}`;
  }
  const pair = { user: table.users.find(userId), item: table.items.find(itemId) };
  if (pair.user < 0) return `unknown user ${JSON.stringify(userId)}`;
  if (pair.item < 0) return `unknown item ${JSON.stringify(itemId)}`;
  if (known.has(pairKey(table, pair))) return pair;
  return `user ${JSON.stringify(userId)} has no interaction with item ${JSON.stringify(itemId)}`;
}

function frozenSplitError(file: string, problems: readonly string[]): ShortlistError {
  const shown = problems.slice(0, MAX_PROBLEMS);
  if (problems.length > shown.length) shown.push(`and ${problems.length - shown.length} more`);
  return new ShortlistError('INVALID_DATASET', `${file} is not a split of this dataset:`, {
    problems: shown,
  });
}
