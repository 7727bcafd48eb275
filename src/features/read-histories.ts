import { vectorFile, type TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader } from '../bundle/tensor-reader.js';
import type { Histories, TypedTable } from '../domain/history.js';

/** The sizes that a histories file must fit to, and its name in errors. */
export interface HistoriesShape {
  /** How many users and items the bundle has. */
  readonly users: number;
  readonly items: number;
  readonly name: string;
  /** Types by their codes, as the manifest has them; absent where it has none. */
  readonly types?: readonly string[] | undefined;
}

/** What users do not want, as tensors of the file; files of bundles that know of nothing have none of them. */
const UNWANTED = { offsets: 'unwanted_offsets', items: 'unwanted_items', timestamps: 'unwanted_timestamps' };

/** What users did by type, as tensors of the file; files of bundles that know no types have none of them. */
const TYPED = {
  offsets: 'typed_offsets',
  items: 'typed_items',
  timestamps: 'typed_timestamps',
  types: 'typed_types',
  counts: 'typed_counts',
};

/**
 * The tensors of a histories file: `offsets` [users + 1], `items`, `timestamps` and `values` [entries]; where there is anything unwanted,
 * `unwanted_offsets` [users + 1], `unwanted_items` and `unwanted_timestamps` too; where types are known, `typed_offsets` [users + 1],
 * `typed_items`, `typed_timestamps` and `typed_types`, which are places in the list of types of the manifest; where something is to be
 * predicted, `typed_counts`, how many interactions each of these stands for.
 */
export function historiesToTensors(histories: Histories): TensorFile {
  const { offsets, items, timestamps, values, unwanted, typed } = histories;
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
    ...(typed && {
      [TYPED.offsets]: typed.offsets,
      [TYPED.items]: typed.items,
      [TYPED.timestamps]: typed.timestamps,
      [TYPED.types]: typed.types,
      ...(typed.counts && { [TYPED.counts]: typed.counts }),
    }),
  });
}

/**
 * The histories that a file holds; the arrays are those of the file.
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing, of another type or length, offsets that
 * descend, items that the bundle does not have or that occur twice in a history, times that are not finite or descend,
 * values that are not finite; the same of what is unwanted, and items that are in the history of their user too; the same of what has
 * types, and types that the manifest does not have, and counts below 1
 */
export function parseHistories(file: TensorFile, shape: HistoriesShape): Histories {
  const reader = createTensorReader(shape.name, file);
  const hasUnwanted = Object.values(UNWANTED).some((name) => file.tensors.has(name));
  const { types: names } = shape;
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
    ...(names && {
      typed: {
        offsets: reader.uint32(TYPED.offsets, [shape.users + 1]),
        items: reader.int32(TYPED.items, [null]),
        timestamps: reader.float64(TYPED.timestamps, [null]),
        types: reader.int32(TYPED.types, [null]),
        ...(file.tensors.has(TYPED.counts) && { counts: reader.int32(TYPED.counts, [null]) }),
        names,
      },
    }),
  };
  if (reader.isSound()) for (const problem of listLengthProblems(histories)) reader.report(problem);
  if (reader.isSound())
    for (const problem of listEntryProblems(histories, shape.items)) reader.report(problem);
  reader.finish();
  return histories;
}

/** Rows of users, whatever stands in them. */
type UserRows = Pick<Histories, 'offsets' | 'items' | 'timestamps'> & {
  readonly types?: Int32Array | undefined;
  readonly counts?: Int32Array | undefined;
};

function listLengthProblems({ unwanted, typed, ...wanted }: Histories): string[] {
  const { names: _, ...typedRows } = typed ?? {};
  return [
    ...findLengthProblems(wanted),
    ...(unwanted === undefined ? [] : findLengthProblems(unwanted, UNWANTED)),
    ...(typed === undefined ? [] : findLengthProblems(typedRows as UserRows, TYPED)),
  ];
}

function listEntryProblems({ unwanted, typed, ...wanted }: Histories, itemCount: number): string[] {
  return [
    ...findEntryProblems(wanted, itemCount),
    ...(unwanted === undefined ? [] : findUnwantedProblems(unwanted, wanted, itemCount)),
    ...(typed === undefined ? [] : findTypedProblems(typed, itemCount)),
  ];
}

/** @param names of the tensors, where they are not those of the columns */
function findLengthProblems(
  { offsets, ...columns }: UserRows,
  names: Readonly<Record<string, string>> = {},
): string[] {
  const nameOf = (column: string): string => names[column] ?? column;
  const problems: string[] = [];
  const entries = offsets.at(-1)!;
  for (const [column, values] of Object.entries(columns)) {
    if (values !== undefined && values.length !== entries)
      problems.push(`${nameOf(column)}: ${values.length} values, ${nameOf('offsets')} end at ${entries}`);
  }
  const descent = offsets.findIndex((offset, user) => offset < (offsets[user - 1] ?? 0));
  if (descent >= 0) problems.push(`${nameOf('offsets')}: descend at ${descent}`);
  if (offsets[0] !== 0) problems.push(`${nameOf('offsets')}: start at ${offsets[0]}, not at 0`);
  return problems;
}

/** One sentence per kind of problem, with the first place it occurs. */
function findEntryProblems({ offsets, items, timestamps, types }: UserRows, itemCount: number): string[] {
  const problems = new Map<string, string>();
  const report = (kind: string, entry: number, what: string): void => {
    if (!problems.has(kind)) problems.set(kind, `entry ${entry} ${what}`);
  };
  const latestUserOf = new Int32Array(itemCount).fill(-1);
  for (let user = 0; user + 1 < offsets.length; user++) {
    for (let entry = offsets[user]!; entry < offsets[user + 1]!; entry++) {
      const item = items[entry]!;
      if (item < 0 || item >= itemCount) report('item', entry, `has item ${item}, there are ${itemCount}`);
      else if (types === undefined && latestUserOf[item] === user)
        report('repeat', entry, `repeats item ${item} of user ${user}`);
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

function findTypedProblems(typed: TypedTable, itemCount: number): string[] {
  const problems = findEntryProblems(typed, itemCount).map((problem) => `typed ${problem}`);
  const { types, counts, names } = typed;
  const uncounted = counts?.findIndex((count) => count < 1) ?? -1;
  if (uncounted >= 0)
    problems.push(`typed entry ${uncounted} stands for ${counts![uncounted]!} interactions`);
  const entry = types.findIndex((type) => type < -1 || type >= names.length);
  if (entry < 0) return problems;
  return [...problems, `typed entry ${entry} has type ${types[entry]!}, there are ${names.length}`];
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
