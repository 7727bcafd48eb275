import { contextOf, type ContextValues } from '../../domain/context.js';
import { ShortlistError } from '../../domain/errors.js';
import { filterInteractions, filterUnwanted, type InteractionTable } from '../../domain/interactions.js';
import { createSeededRandom } from '../../domain/seeded-random.js';
import { findSettling, findTargets } from '../../domain/target.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';
import { type HeldOutPair, pairKey } from './frozen-split.js';
import { cutTimes, maxOf, minOf } from './rolling-windows.js';
import { showDay } from '../../domain/show-day.js';

/** A user with what they did after the split, which a good slate contains. */
export interface EvaluationQuery {
  /** User index. */
  readonly user: number;
  /**
   * Item indexes, each once, in table order; at least one. None of them is in the user's train rows; where the dataset has a target,
   * none that settles the question: what was viewed may still be bought.
   */
  readonly relevant: Int32Array;
  /** How much each of them counts to a ranker that learns from it, where the dataset says: its largest value. */
  readonly weights?: Float32Array;
  /**
   * Where the dataset declares it, that of the first of them: the request is what came before it, and a request has one
   * context, whatever the user did afterwards.
   */
  readonly context?: ContextValues;
  /** Where the dataset has a target. */
  readonly target?: TargetFacts;
}

/** What the items to find are to a dataset that says what is to be predicted. */
export interface TargetFacts {
  /** How many of them the user had done something with before, and is yet to be asked about. */
  readonly open: number;
  /** Types of the interactions that are predicted, in the order of text. */
  readonly types: readonly string[];
}

/** The interactions that stage 1 is fitted on. */
export interface KnownInteractions {
  readonly train: InteractionTable;
  /** Unix seconds up to which things are known, the "now" of the queries: no row of `train` is later. */
  readonly knownUntil: number;
}

/** One division of a dataset into what a bundle may learn from and what it is then asked. */
export interface EvaluationSplit extends KnownInteractions {
  readonly label: string;
  /** The rows that are held out, those of items that the user has in the train part too. */
  readonly tested: InteractionTable;
  /** Unix seconds of the earliest of them. */
  readonly testedFrom: number;
  /** How many of them have the time of a row of their user that trains: a draw says which was first. */
  readonly tiedRows: number;
  /** Ascending by user index; at least one. */
  readonly queries: readonly EvaluationQuery[];
}

/**
 * The part of a split that judging needs: everything but its rows, so that a rolling backtest need not
 * hold them all.
 */
export interface SplitFacts extends Omit<EvaluationSplit, 'train' | 'tested' | 'testedFrom'> {
  readonly trainRows: number;
  readonly testRows: number;
  /** Train rows per item index; its length is the size of the catalogue. */
  readonly popularity: Uint32Array;
  /** Distinct items in the user's train rows, per query. */
  readonly historyLengths: Uint32Array;
}

/** Which part a row of the table belongs to. */
const TRAIN = 0;
const TEST = 1;
const UNUSED = 2;

const FROZEN_LABEL = 'frozen pairs, all rows of each held out';

/**
 * Each user's first `trainShare` of rows (rounded half to even) to train on, the rest to predict; where the dataset has a target, of
 * the rows of the target, and what the user did from the first one that is held out on is held out with it. Rows of one time are taken in the order of
 * the table. It lets the future
 * of other users into the training, so it compares models; it does not forecast what they do in production.
 *
 * @throws ShortlistError INVALID_DATASET when nothing is left to predict, or to train on.
 */
export function splitChronologically(
  table: InteractionTable,
  options: { trainShare?: number | undefined } = {},
): EvaluationSplit {
  const { trainShare = 0.75 } = options;
  const parts = new Uint8Array(table.user.length).fill(TRAIN);
  const isTarget = findTargets(table);
  for (const rows of groupRows(table.user, table.users.size)) {
    const asked = rows.filter((row) => isTarget[row] === 1);
    const [first] = asked.subarray(roundHalfEven(trainShare * asked.length));
    if (first === undefined) continue;
    for (const row of rows.subarray(rows.indexOf(first))) parts[row] = TEST;
  }
  return requireQueries(
    table,
    createSplit(table, parts, { label: `chronological ${shareLabel(trainShare)}` }),
  );
}

/**
 * The last row of each user with two rows or more to predict, all others to train on: the protocol of many papers on sequences. Where the dataset has
 * a target, the last row of the target, and what the user did after it is held out with it. It lets the future of other users into the training, as
 * `splitChronologically` does. Who came back to an item at last is not asked.
 *
 * @throws ShortlistError INVALID_DATASET when nothing is left to predict.
 */
export function splitLastOut(table: InteractionTable): EvaluationSplit {
  const parts = new Uint8Array(table.user.length).fill(TRAIN);
  const isTarget = findTargets(table);
  for (const rows of groupRows(table.user, table.users.size)) {
    const last = rows.findLastIndex((row) => isTarget[row] === 1);
    if (last > 0) for (const row of rows.subarray(last)) parts[row] = TEST;
  }
  return requireQueries(table, createSplit(table, parts, { label: 'last row of each user' }));
}

/**
 * A random `trainShare` of the rows of each item (or of each user), rounded half to even, to train on, the rest to
 * predict; where the dataset has a target, of its rows, and all others train. The same seed gives the same split.
 *
 * @throws ShortlistError INVALID_DATASET when nothing is left to predict, or to train on.
 */
export function splitRandomly(
  table: InteractionTable,
  options: { by: 'item' | 'user'; trainShare?: number | undefined; seed: number },
): EvaluationSplit {
  const { by, trainShare = 0.75, seed } = options;
  const random = createSeededRandom(seed);
  const isTarget = findTargets(table);
  const parts = new Uint8Array(table.user.length).fill(TRAIN);
  for (const rows of groupRows(table[by], by === 'item' ? table.items.size : table.users.size)) {
    const shuffled = random.shuffle(rows.filter((row) => isTarget[row] === 1));
    for (const row of shuffled.subarray(roundHalfEven(trainShare * shuffled.length))) parts[row] = TEST;
  }
  const label = `random by ${by} ${shareLabel(trainShare)}, seed ${seed}`;
  return requireQueries(table, createSplit(table, parts, { label }));
}

/**
 * The given pairs to predict, by all rows that they have; all others train: a published split, as `readFrozenSplit` reads it. So of an
 * item that a user came back to, nothing is in the train part.
 *
 * @throws ShortlistError INVALID_DATASET when nothing is left to predict, or to train on.
 */
export function splitFrozen(table: InteractionTable, testPairs: readonly HeldOutPair[]): EvaluationSplit {
  const heldOut = new Set(testPairs.map((pair) => pairKey(table, pair)));
  const parts = Uint8Array.from(table.user, (user, row) =>
    heldOut.has(pairKey(table, { user, item: table.item[row]! })) ? TEST : TRAIN,
  );
  return requireQueries(table, createSplit(table, parts, { label: FROZEN_LABEL }));
}

/**
 * The honest headline: windows of `horizonDays` by global time where there is something to ask (`cutTimes`), oldest first.
 * Each trains on every row before its cut and asks for the rows from the cut to the end of its window. Users that
 * training never saw are asked too. Lazy, because each split copies its train rows.
 *
 * @param options.weeks number of windows (weeks, at the default horizon); fewer when fewer hold anything to predict
 * @throws ShortlistError INVALID_DATASET when no window has anything to predict.
 */
export function* splitRolling(
  table: InteractionTable,
  options: { weeks: number; horizonDays?: number | undefined; before?: number | undefined },
): Generator<EvaluationSplit, void, undefined> {
  const { weeks, horizonDays = 7 } = options;
  const cuts = cutTimes(table, { ...options, count: weeks });
  if (cuts.length === 0) throw nothingToPredict(table, `rolling, ${weeks} windows of ${horizonDays} days`);
  for (const cut of cuts) {
    const end = cut + horizonDays * SECONDS_PER_DAY;
    const parts = Uint8Array.from(table.timestamp, (time) =>
      time < cut ? TRAIN : time < end ? TEST : UNUSED,
    );
    yield createSplit(table, parts, { label: showDay(cut), knownUntil: cut });
  }
}

/** Drops the train rows of a split. */
export function toSplitFacts(split: EvaluationSplit): SplitFacts {
  const { label, train, tested, tiedRows, knownUntil, queries } = split;
  const popularity = new Uint32Array(train.items.size);
  for (const item of train.item) popularity[item]!++;
  const rowsOfUser = groupRows(train.user, train.users.size);
  const historyLengths = Uint32Array.from(queries, ({ user }) => itemsAt(train, rowsOfUser[user]!).size);
  const counts = { trainRows: train.user.length, testRows: tested.user.length, tiedRows };
  return { label, knownUntil, queries, ...counts, popularity, historyLengths };
}

/** The rows of each group in table order, one view per group. */
function groupRows(groupOf: Int32Array, groups: number): Uint32Array[] {
  const offsets = new Uint32Array(groups + 1);
  for (const group of groupOf) offsets[group + 1]!++;
  for (let group = 0; group < groups; group++) offsets[group + 1]! += offsets[group]!;
  const next = offsets.slice();
  const rows = new Uint32Array(groupOf.length);
  groupOf.forEach((group, row) => (rows[next[group]!++] = row));
  return Array.from({ length: groups }, (_, group) => rows.subarray(offsets[group]!, offsets[group + 1]!));
}

/** Rounds a half to the even neighbour, as numpy and Python do: published splits were made with it. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
}

function shareLabel(trainShare: number): string {
  const percent = Math.round(100 * trainShare);
  return `${percent}/${100 - percent}`;
}

function createSplit(
  table: InteractionTable,
  parts: ArrayLike<number>,
  options: { label: string; knownUntil?: number },
): EvaluationSplit {
  const rows = filterInteractions(table, (row) => parts[row] === TRAIN);
  const { unwanted: _, ...tested } = filterInteractions(table, (row) => parts[row] === TEST);
  const { label, knownUntil = maxOf(rows.timestamp) } = options;
  const train = withKnownUnwanted(rows, { tested, before: options.knownUntil, knownUntil });
  return {
    label,
    train,
    knownUntil,
    tested,
    testedFrom: minOf(tested.timestamp),
    tiedRows: countTied(table, parts),
    queries: collectQueries(table, parts),
  };
}

/** Test rows that stand in a run of rows of one user and time with a train row. */
function countTied({ user, timestamp }: InteractionTable, parts: ArrayLike<number>): number {
  let tied = 0;
  for (let from = 0, to = 0; from < user.length; from = to) {
    const found = [0, 0, 0];
    do found[parts[to++]!]!++;
    while (to < user.length && user[to] === user[from] && timestamp[to] === timestamp[from]);
    if (found[TRAIN]! > 0) tied += found[TEST]!;
  }
  return tied;
}

/**
 * Leaves what was said to be unwanted when the queries are asked: no later than the train part, and before the first row that is
 * held out of its user.
 * @param options.before exclusive end, where the cut is one time for all
 */
function withKnownUnwanted(
  train: InteractionTable,
  options: { tested: InteractionTable; before: number | undefined; knownUntil: number },
): InteractionTable {
  if (train.unwanted === undefined) return train;
  const { tested, before = Number.POSITIVE_INFINITY, knownUntil } = options;
  const firstOf = new Map<number, number>();
  for (let row = tested.user.length - 1; row >= 0; row--)
    firstOf.set(tested.user[row]!, tested.timestamp[row]!);
  const { user, timestamp } = train.unwanted;
  const isKnown = (row: number): boolean =>
    timestamp[row]! <= knownUntil &&
    timestamp[row]! < Math.min(before, firstOf.get(user[row]!) ?? Number.POSITIVE_INFINITY);
  return { ...train, unwanted: filterUnwanted(train.unwanted, isKnown) };
}

function collectQueries(table: InteractionTable, parts: ArrayLike<number>): EvaluationQuery[] {
  const isTarget = findTargets(table);
  const settles = findSettling(table);
  return groupRows(table.user, table.users.size).flatMap((rows, user) => {
    const learnt = itemsAt(
      table,
      rows.filter((row) => parts[row] === TRAIN && settles[row] === 1),
    );
    const isTest = (row: number): boolean => parts[row] === TEST && isTarget[row] === 1;
    const tested = itemsAt(table, rows.filter(isTest));
    const relevant = Int32Array.from(tested).filter((item) => !learnt.has(item));
    if (relevant.length === 0) return [];
    const first = rows.find((row) => isTest(row) && !learnt.has(table.item[row]!))!;
    return [
      {
        user,
        relevant,
        ...(table.weighted === true && { weights: weigh(table, relevant, rows.filter(isTest)) }),
        ...(table.context && { context: contextOf(table.context, first) }),
        ...(table.target && { target: describeFound(table, { relevant, rows, parts, isTest }) }),
      },
    ];
  });
}

function describeFound(
  table: InteractionTable,
  query: {
    relevant: Int32Array;
    rows: Uint32Array;
    parts: ArrayLike<number>;
    isTest: (row: number) => boolean;
  },
): TargetFacts {
  const { relevant, rows, parts, isTest } = query;
  const touched = itemsAt(
    table,
    rows.filter((row) => parts[row] === TRAIN),
  );
  const asked = new Set(relevant);
  const found = rows.filter((row) => isTest(row) && asked.has(table.item[row]!));
  const codes = new Set(Array.from(found, (row) => table.types?.codes[row]));
  return {
    open: relevant.filter((item) => touched.has(item)).length,
    types: (table.types?.names ?? []).filter((_, code) => codes.has(code)),
  };
}

function weigh(table: InteractionTable, items: Int32Array, rows: Uint32Array): Float32Array {
  const largest = new Map<number, number>();
  for (const row of rows) {
    const item = table.item[row]!;
    largest.set(item, Math.max(largest.get(item) ?? 0, table.value[row]!));
  }
  return Float32Array.from(items, (item) => largest.get(item)!);
}

function itemsAt(table: InteractionTable, rows: Uint32Array): Set<number> {
  return new Set(Array.from(rows, (row) => table.item[row]!));
}

function requireQueries(table: InteractionTable, split: EvaluationSplit): EvaluationSplit {
  if (split.queries.length === 0) throw nothingToPredict(table, split.label);
  if (split.train.user.length > 0) return split;
  throw new ShortlistError('INVALID_DATASET', `The split "${split.label}" leaves no row to train on.`);
}

function nothingToPredict(table: InteractionTable, label: string): ShortlistError {
  return new ShortlistError(
    'INVALID_DATASET',
    `The split "${label}" leaves no user with an item to predict.${describeTargets(table)} Take another protocol, a longer window, a smaller train share, or more data.`,
  );
}

/** How many rows could be asked for, and when: a target that came late is in no window of before. */
function describeTargets({ target, types, timestamp }: InteractionTable): string {
  if (target === undefined) return '';
  const times = timestamp.filter((_, row) => target.rows[row] === 1);
  const since = times.length === 0 ? '' : `, the first of ${showDay(minOf(times))}`;
  const counts = (types?.names ?? []).map((name, code) => {
    const rows = types!.codes.reduce((sum, each) => sum + Number(each === code), 0);
    return `${name} ${rows.toLocaleString('en')}`;
  });
  return (
    ` Of ${timestamp.length.toLocaleString('en')} rows until ${showDay(maxOf(timestamp))}, ${times.length.toLocaleString('en')} are of ` +
    `the target${since}${counts.length === 0 ? '' : `; by type: ${counts.join(', ')}`}.`
  );
}
