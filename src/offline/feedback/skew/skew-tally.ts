import { VALUE_STATUS } from '../../../features/feature-store.js';
import type { FeatureView } from '../../../features/feature-view.js';
import { listViewInputs } from '../../../features/groups/view-features.js';
import type { FeatureRecord } from '../../../pipeline/feature-record.js';

/** Counts for one feature over all vectors that were compared. */
export interface FeatureSkew {
  readonly feature: string;
  readonly compared: number;
  /** Bit for bit the same. */
  readonly equal: number;
  /** Not the same, and no further apart than is tolerated. */
  readonly tolerated: number;
  readonly differing: number;
  /** Of the compared: NaN in both, and in one of them only. */
  readonly missingBoth: number;
  readonly missingOne: number;
  /** Largest difference of numbers. */
  readonly largest: number;
  /** The first that differ. */
  readonly examples: readonly SkewExample[];
}

/** One value that differs. NaN is told as null. */
export interface SkewExample {
  readonly requestId: string;
  readonly time: string;
  readonly user?: string | undefined;
  readonly item: string;
  readonly logged: number | null;
  readonly recomputed: number | null;
  /** Where the online row of the user came by it. */
  readonly status?: string | undefined;
}

/** An item that was shown and that is no candidate when the request is made again. */
export interface MissingItem {
  readonly requestId: string;
  readonly user?: string | undefined;
  readonly item: string;
}

/** Counts what is compared. */
export interface SkewTally {
  /** @param recomputed undefined where the item was not found again */
  add(
    record: FeatureRecord,
    item: string,
    vectors: { logged: Float32Array; recomputed: Float32Array | undefined },
  ): void;
  features(): readonly FeatureSkew[];
  readonly missingItems: { readonly count: number; readonly examples: readonly MissingItem[] };
  /** Items that were found again. */
  readonly items: number;
}

const EXAMPLES = 3;

/** @param options.tolerance largest difference that is none, 0 asks for the same bits */
export function createSkewTally(
  featureOrder: readonly string[],
  options: { tolerance: number; views: readonly FeatureView[] },
): SkewTally {
  const { tolerance } = options;
  const counts = featureOrder.map((feature) => ({
    feature,
    compared: 0,
    equal: 0,
    tolerated: 0,
    differing: 0,
    missingBoth: 0,
    missingOne: 0,
    largest: 0,
    examples: [] as SkewExample[],
  }));
  const statusOf = createStatusFinder(options.views);
  const missing = { count: 0, examples: [] as MissingItem[] };
  let items = 0;

  function compare(index: number, logged: number, recomputed: number): boolean {
    const count = counts[index]!;
    count.compared++;
    const absent = Number(Number.isNaN(logged)) + Number(Number.isNaN(recomputed));
    if (absent === 2) count.missingBoth++;
    if (absent === 1) count.missingOne++;
    // 0 and -0 are one number and not the same bits.
    const isEqual = Object.is(logged, recomputed);
    const difference = Math.abs(logged - recomputed);
    if (difference > count.largest) count.largest = difference;
    if (isEqual) count.equal++;
    else if (tolerance > 0 && difference <= tolerance) count.tolerated++;
    else count.differing++;
    return isEqual || (tolerance > 0 && difference <= tolerance);
  }

  return {
    add: (record, item, { logged, recomputed }) => {
      const { requestId, time, user } = record;
      if (recomputed === undefined) {
        missing.count++;
        if (missing.examples.length < EXAMPLES) missing.examples.push({ requestId, user, item });
        return;
      }
      items++;
      for (let index = 0; index < counts.length; index++) {
        if (compare(index, logged[index]!, recomputed[index]!)) continue;
        const { feature, examples } = counts[index]!;
        if (examples.length >= EXAMPLES) continue;
        examples.push({
          requestId,
          time,
          user,
          item,
          logged: tellNumber(logged[index]!),
          recomputed: tellNumber(recomputed[index]!),
          status: statusOf(feature, record),
        });
      }
    },
    features: () => counts,
    missingItems: missing,
    get items() {
      return items;
    },
  };
}

function tellNumber(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

const STATUS_NAMES = new Map<number, string>(
  Object.entries(VALUE_STATUS).map(([name, status]) => [status, name.toLowerCase()]),
);

/** Of a feature that an online row gave, how the store came by its value. */
function createStatusFinder(
  views: readonly FeatureView[],
): (feature: string, record: FeatureRecord) => string | undefined {
  const fieldOf = new Map(
    views.flatMap((view) =>
      listViewInputs(view).map(({ name, field }) => [name, { view: view.name, field }] as const),
    ),
  );
  return (feature, { online }) => {
    const found = fieldOf.get(feature);
    if (found === undefined) return undefined;
    return STATUS_NAMES.get(online?.statuses[found.view]?.[found.field] ?? -1);
  };
}
