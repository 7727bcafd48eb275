/** An item that is in both lists. */
export interface Kept {
  readonly itemId: string;
  /** Places from 1. */
  readonly from: number;
  readonly to: number;
}

/** How two lists differ. */
export interface Comparison {
  readonly kept: readonly Kept[];
  /** Ids that only the second has, in its order. */
  readonly newcomers: readonly string[];
  /** Ids that only the first has. */
  readonly gone: readonly string[];
  /** Of those in both, how many are at another place. */
  readonly moved: number;
}

interface Placed {
  readonly itemId: string;
  readonly position: number;
}

/** Compares two lists by their ids. */
export function compareSlates(before: readonly Placed[], after: readonly Placed[]): Comparison {
  const places = new Map(after.map(({ itemId, position }) => [itemId, position]));
  const known = new Set(before.map(({ itemId }) => itemId));
  const kept = before.flatMap(({ itemId, position }) => {
    const to = places.get(itemId);
    return to === undefined ? [] : [{ itemId, from: position, to }];
  });
  return {
    kept,
    newcomers: after.filter(({ itemId }) => !known.has(itemId)).map(({ itemId }) => itemId),
    gone: before.filter(({ itemId }) => !places.has(itemId)).map(({ itemId }) => itemId),
    moved: kept.filter(({ from, to }) => from !== to).length,
  };
}
