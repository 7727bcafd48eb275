import type { Tensor, TensorFile } from '../bundle/tensor-file.js';
import { ShortlistError } from '../domain/errors.js';
import type { Histories } from '../domain/history.js';

/** What a histories file must fit to, and what to call it in errors. */
export interface HistoriesShape {
  /** How many users and items the bundle has. */
  readonly users: number;
  readonly items: number;
  readonly name: string;
}

/** The tensors of a histories file: `offsets` [users + 1], `items`, `timestamps` and `values` [entries]. */
export function historiesToTensors(histories: Histories): TensorFile {
  const { offsets, items, timestamps, values } = histories;
  const vectors = Object.entries({ offsets, items, timestamps, values });
  return {
    tensors: new Map(vectors.map(([name, data]): [string, Tensor] => [name, { shape: [data.length], data }])),
    metadata: {},
  };
}

/**
 * The histories that a file holds; the arrays are those of the file.
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing, of another type or length, offsets that
 * descend, items that the bundle does not have or that occur twice in a history, times that are not finite or descend,
 * values that are not finite
 */
export function parseHistories(file: TensorFile, shape: HistoriesShape): Histories {
  const problems: string[] = [];
  const vectorOf = <T extends Tensor['data']>(name: string, type: new () => T): T => {
    const data = file.tensors.get(name)?.data;
    if (data instanceof type) return data;
    problems.push(`it has no tensor ${name} of type ${type.name}`);
    return new type();
  };
  const histories = {
    offsets: vectorOf('offsets', Uint32Array),
    items: vectorOf('items', Int32Array),
    timestamps: vectorOf('timestamps', Float64Array),
    values: vectorOf('values', Float32Array),
  };
  if (problems.length === 0) problems.push(...findLengthProblems(histories, shape.users));
  if (problems.length === 0) problems.push(...findEntryProblems(histories, shape.items));
  if (problems.length === 0) return histories;
  throw new ShortlistError('INVALID_BUNDLE', `${shape.name} does not hold sound histories`, {
    problems: problems.map((problem) => `${shape.name}: ${problem}`),
  });
}

function findLengthProblems({ offsets, items, timestamps, values }: Histories, users: number): string[] {
  const problems: string[] = [];
  const entries = offsets.at(-1) ?? 0;
  if (offsets.length !== users + 1) {
    problems.push(`offsets has ${offsets.length} values, ${users} users need ${users + 1}`);
  }
  for (const [name, { length }] of Object.entries({ items, timestamps, values })) {
    if (length !== entries) problems.push(`${name} has ${length} values, offsets end at ${entries}`);
  }
  const descent = offsets.findIndex((offset, user) => offset < (offsets[user - 1] ?? 0));
  if (descent >= 0) problems.push(`offsets descend at ${descent}`);
  if (offsets[0] !== 0) problems.push(`offsets start at ${offsets[0]}, not at 0`);
  return problems;
}

/** One sentence per kind of problem, with the first place it occurs. */
function findEntryProblems({ offsets, items, timestamps, values }: Histories, itemCount: number): string[] {
  const problems = new Map<string, string>();
  const report = (kind: string, entry: number, what: string): void => {
    if (!problems.has(kind)) problems.set(kind, `entry ${entry} ${what}`);
  };
  const latestUserOf = new Int32Array(itemCount).fill(-1);
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let entry = offsets[user]!; entry < offsets[user + 1]!; entry++) {
      const item = items[entry]!;
      const time = timestamps[entry]!;
      if (item < 0 || item >= itemCount) report('item', entry, `has item ${item}, there are ${itemCount}`);
      else if (latestUserOf[item] === user) report('repeat', entry, `repeats item ${item} of user ${user}`);
      else latestUserOf[item] = user;
      if (!Number.isFinite(time)) report('time', entry, `has timestamp ${time}`);
      else if (entry > offsets[user]! && time < timestamps[entry - 1]!) {
        report('order', entry, `of user ${user} is older than the one before it`);
      }
      if (!Number.isFinite(values[entry])) report('value', entry, `has value ${values[entry]}`);
    }
  }
  return [...problems.values()];
}
