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

/** The tensors of a histories file: `offsets` [users + 1], `items`, `timestamps` and `values` [entries]. */
export function historiesToTensors({ offsets, items, timestamps, values }: Histories): TensorFile {
  return vectorFile({ offsets, items, timestamps, values });
}

/**
 * The histories that a file holds; the arrays are those of the file.
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing, of another type or length, offsets that
 * descend, items that the bundle does not have or that occur twice in a history, times that are not finite or descend,
 * values that are not finite
 */
export function parseHistories(file: TensorFile, shape: HistoriesShape): Histories {
  const reader = createTensorReader(shape.name, file);
  const histories: Histories = {
    offsets: reader.uint32('offsets', [shape.users + 1]),
    items: reader.int32('items', [null]),
    timestamps: reader.float64('timestamps', [null]),
    values: reader.float32('values', [null]),
  };
  if (reader.isSound()) for (const problem of findLengthProblems(histories)) reader.report(problem);
  if (reader.isSound()) {
    for (const problem of findEntryProblems(histories, shape.items)) reader.report(problem);
  }
  reader.finish();
  return histories;
}

function findLengthProblems({ offsets, items, timestamps, values }: Histories): string[] {
  const problems: string[] = [];
  const entries = offsets.at(-1)!;
  for (const [name, { length }] of Object.entries({ items, timestamps, values })) {
    if (length !== entries) problems.push(`${name}: ${length} values, offsets end at ${entries}`);
  }
  const descent = offsets.findIndex((offset, user) => offset < (offsets[user - 1] ?? 0));
  if (descent >= 0) problems.push(`offsets: descend at ${descent}`);
  if (offsets[0] !== 0) problems.push(`offsets: start at ${offsets[0]}, not at 0`);
  return problems;
}

/** One sentence per kind of problem, with the first place it occurs. */
function findEntryProblems({ offsets, items, timestamps }: Histories, itemCount: number): string[] {
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
