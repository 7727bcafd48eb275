import { vectorFile, type TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader } from '../bundle/tensor-reader.js';
import type { Histories } from '../domain/history.js';

/** The sizes that a histories file must fit to, and its name in errors. */
export interface HistoriesShape {
  /** How many users and items the bundle has. */
  readonly users: number;
  readonly items: number;
  readonly name: string;
}

/** What users do not want, as tensors of the file; files of bundles that know of nothing have none of them. */
const UNWANTED = { offsets: 'unwanted_offsets', items: 'unwanted_items', timestamps: 'unwanted_timestamps' };

/**
 * The tensors of a histories file: `offsets` [users + 1], `items`, `timestamps` and `values` [entries]; where there is anything unwanted,
 * `unwanted_offsets` [users + 1], `unwanted_items` and `unwanted_timestamps` too.
 */
export function historiesToTensors({ offsets, items, timestamps, values, unwanted }: Histories): TensorFile {
  return vectorFile({
    offsets,
    items,
    timestamps,
    values,
    ...(unwanted && {
      [UNWANTED.offsets]: unwanted.offsets,
      [UNWANTED.items]: unwanted.items,
      [UNWANTED.timestamps]: unwanted.timestamps,
    }),
  });
}

/**
 * The histories that a file holds; the arrays are those of the file.
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing, of another type or length, offsets that
 * descend, items that the bundle does not have or that occur twice in a history, times that are not finite or descend,
 * values that are not finite; the same of what is unwanted, and items that are in the history of their user too
 */
export function parseHistories(file: TensorFile, shape: HistoriesShape): Histories {
  const reader = createTensorReader(shape.name, file);
  const hasUnwanted = Object.values(UNWANTED).some((name) => file.tensors.has(name));
  const histories: Histories = {
    offsets: reader.uint32('offsets', [shape.users + 1]),
    items: reader.int32('items', [null]),
    timestamps: reader.float64('timestamps', [null]),
    values: reader.float32('values', [null]),
    ...(hasUnwanted && {
      unwanted: {
        offsets: reader.uint32(UNWANTED.offsets, [shape.users + 1]),
        items: reader.int32(UNWANTED.items, [null]),
        timestamps: reader.float64(UNWANTED.timestamps, [null]),
      },
    }),
  };
  const { unwanted, ...wanted } = histories;
  if (reader.isSound()) {
    for (const problem of findLengthProblems(wanted)) reader.report(problem);
    if (unwanted !== undefined)
      for (const problem of findLengthProblems(unwanted, UNWANTED)) reader.report(problem);
  }
  if (reader.isSound()) {
    for (const problem of findEntryProblems(wanted, shape.items)) reader.report(problem);
    if (unwanted !== undefined)
      for (const problem of findUnwantedProblems(unwanted, wanted, shape.items)) reader.report(problem);
  }
  reader.finish();
  return histories;
}

/** Rows of users, whatever stands in them. */
type UserRows = Pick<Histories, 'offsets' | 'items' | 'timestamps'>;

/** @param names of the tensors, where they are not those of the columns */
function findLengthProblems(
  { offsets, ...columns }: UserRows,
  names: Readonly<Record<string, string>> = {},
): string[] {
  const nameOf = (column: string): string => names[column] ?? column;
  const problems: string[] = [];
  const entries = offsets.at(-1)!;
  for (const [column, { length }] of Object.entries(columns)) {
    if (length !== entries)
      problems.push(`${nameOf(column)}: ${length} values, ${nameOf('offsets')} end at ${entries}`);
  }
  const descent = offsets.findIndex((offset, user) => offset < (offsets[user - 1] ?? 0));
  if (descent >= 0) problems.push(`${nameOf('offsets')}: descend at ${descent}`);
  if (offsets[0] !== 0) problems.push(`${nameOf('offsets')}: start at ${offsets[0]}, not at 0`);
  return problems;
}

/** One sentence per kind of problem, with the first place it occurs. */
function findEntryProblems({ offsets, items, timestamps }: UserRows, itemCount: number): string[] {
  const problems = new Map<string, string>();
  const report = (kind: string, entry: number, what: string): void => {
    if (!problems.has(kind)) problems.set(kind, `entry ${entry} ${what}`);
  };
  const latestUserOf = new Int32Array(itemCount).fill(-1);
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let entry = offsets[user]!; entry < offsets[user + 1]!; entry++) {
      const item = items[entry]!;
      if (item < 0 || item >= itemCount) report('item', entry, `has item ${item}, there are ${itemCount}`);
      else if (latestUserOf[item] === user) report('repeat', entry, `repeats item ${item} of user ${user}`);
      else latestUserOf[item] = user;
      if (entry > offsets[user]! && timestamps[entry]! < timestamps[entry - 1]!) {
        report('order', entry, `of user ${user} is older than the one before it`);
      }
    }
  }
  return [...problems.values()];
}

function findUnwantedProblems(unwanted: UserRows, wanted: UserRows, itemCount: number): string[] {
  const problems = findEntryProblems(unwanted, itemCount).map((problem) => `unwanted ${problem}`);
  const both = findItemOfBoth(unwanted, wanted, itemCount);
  return both === undefined ? problems : [...problems, both];
}

/** The latest word on an item is one or the other. */
function findItemOfBoth(unwanted: UserRows, wanted: UserRows, itemCount: number): string | undefined {
  const latestUserOf = new Int32Array(itemCount).fill(-1);
  for (let user = 0; user + 1 < unwanted.offsets.length; user++) {
    for (let entry = wanted.offsets[user]!; entry < wanted.offsets[user + 1]!; entry++)
      latestUserOf[wanted.items[entry]!] = user;
    for (let entry = unwanted.offsets[user]!; entry < unwanted.offsets[user + 1]!; entry++) {
      if (latestUserOf[unwanted.items[entry]!] === user)
        return `unwanted entry ${entry} is in the history of user ${user} too`;
    }
  }
  return undefined;
}
