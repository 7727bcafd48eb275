/** What is to be predicted and judged, where a dataset says it: everything else is evidence. */
export interface Target {
  /** Types of the interactions that are; of any type when absent. */
  readonly types?: readonly string[];
  /** One with a smaller value, before weights, is not. */
  readonly minimumValue?: number;
  /** The most frequent of the other types, which the ranker has features of, the most frequent first. */
  readonly evidence?: readonly string[];
}

/** Which rows of a table are to be predicted. */
export interface TargetRows {
  readonly types?: readonly string[] | undefined;
  /** 1 where the row is, else 0. */
  readonly rows: Uint8Array;
}

/** The columns of a table of interactions that say which rows are to be predicted. */
interface TargetedTable {
  readonly user: Int32Array;
  readonly target?: TargetRows | undefined;
  readonly types?: { readonly names: readonly string[]; readonly codes: Int32Array } | undefined;
}

/** Types that the ranker has features of at most, beside those of the target. */
export const MOST_EVIDENCE_TYPES = 10;

/** 1 per row that is to be predicted. */
export function findTargets({ target, user }: TargetedTable): Uint8Array {
  return target?.rows ?? new Uint8Array(user.length).fill(1);
}

/**
 * 1 per row after which its user is not asked about its item again: those of the types of the target, whatever their value, and those
 * of no known type, as `exclude-seen` has it. All rows, where there is no target or it names no types: what was viewed and
 * not bought is still open where purchases are the target.
 */
export function findSettling({ target, types, user }: TargetedTable): Uint8Array {
  const settling = new Uint8Array(user.length).fill(1);
  if (target?.types === undefined || types === undefined) return settling;
  const settles = types.names.map((name) => target.types!.includes(name));
  return settling.map((_, row) => Number(settles[types.codes[row]!] !== false));
}

/** A target in words: `purchase, cart with values of 4 and more`. */
export function describeTarget({ types, minimumValue }: Pick<Target, 'types' | 'minimumValue'>): string {
  const what = types === undefined ? [] : [types.join(', ')];
  return [...what, ...(minimumValue === undefined ? [] : [`values of ${minimumValue} and more`])].join(
    ' with ',
  );
}
