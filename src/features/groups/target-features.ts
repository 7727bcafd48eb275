import type { TypedEntries } from '../../domain/history.js';
import type { Target } from '../../domain/target.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';
import type { FeatureColumns, FeatureGroup, FeatureQuery } from '../feature-group.js';
import { writeConstant } from '../write-column.js';

/** What the subject did with one candidate. */
interface Touches {
  /** By place in the types that are counted. */
  readonly counts: Float64Array;
  /** Of all evidence, of types that are not counted by themselves too. */
  evidence: number;
  /** Unix seconds of the latest evidence. */
  latest: number;
  settled: boolean;
}

/** What the subject did with any item. */
interface Doings {
  readonly byRow: ReadonlyMap<number, Touches>;
  /** Distinct items that it settled, and that it did anything with. */
  readonly settled: number;
  readonly touched: number;
  /** Unix seconds of the latest that it settled. */
  readonly latest: number;
}

const PER_PAIR = ['target.open', 'target.evidence_recency', 'target.log_evidence'];
const PER_USER = ['target.log_settled', 'target.settled_share', 'target.settled_recency'];

/**
 * What the subject did with a candidate, by type, where some types are to be predicted and the others are evidence. Of the pair: whether
 * it is open (evidence, such as a view, and nothing of the target yet), how long ago the latest evidence is, as 1 / (1 + days) and 0 for
 * never, how much there is (log1p), and log1p of the interactions of each type that the target names or that is frequent. Of the subject,
 * the same for every candidate: log1p of the items that it settled, their share of all items that it touched (0 without any), and how
 * long ago the latest one is, as above.
 */
export function createTargetFeatures({ types = [], evidence = [] }: Target): FeatureGroup {
  const counted = [...types, ...evidence];
  return {
    name: 'target',
    features: [...PER_PAIR, ...PER_USER, ...counted.map((type) => `target.log_count.${type}`)],
    fill: (query, columnOf) => {
      const doings = readDoings(query, { counted, targets: types.length });
      fillPairs(query, doings, columnOf);
      const rows = query.candidates.items.length;
      [
        Math.log1p(doings.settled),
        doings.touched === 0 ? 0 : doings.settled / doings.touched,
        recencyOf(doings.latest, query.now),
      ].forEach((value, at) => writeConstant(columnOf(PER_PAIR.length + at), rows, value));
      const first = PER_PAIR.length + PER_USER.length;
      counted.forEach((_, place) => {
        const column = columnOf(first + place);
        writeConstant(column, rows, 0);
        for (const [row, { counts }] of doings.byRow)
          column.data[column.start + row * column.step] = Math.log1p(counts[place]!);
      });
    },
  };
}

function fillPairs(query: FeatureQuery, { byRow }: Doings, columnOf: FeatureColumns): void {
  const columns = PER_PAIR.map((_, feature) => columnOf(feature));
  for (const column of columns) writeConstant(column, query.candidates.items.length, 0);
  for (const [row, { evidence, settled, latest }] of byRow) {
    const values = [evidence > 0 && !settled ? 1 : 0, recencyOf(latest, query.now), Math.log1p(evidence)];
    columns.forEach(({ data, start, step }, feature) => (data[start + row * step] = values[feature]!));
  }
}

/** What is later than the bundle is of its time, as in histories (ADR 0021). */
function recencyOf(time: number, now: number): number {
  return time === Number.NEGATIVE_INFINITY ? 0 : 1 / (1 + Math.max(0, now - time) / SECONDS_PER_DAY);
}

function readDoings(
  { candidates, typed }: FeatureQuery,
  { counted, targets }: { counted: readonly string[]; targets: number },
): Doings {
  const rowOf = new Map(Array.from(candidates.items, (item, row) => [item, row]));
  const byRow = new Map<number, Touches>();
  const touched = new Set<number>();
  const settled = new Set<number>();
  const lists = typed().filter(({ items }) => items.length > 0);
  const known = lists.length > 1 ? findLatest(lists[0]!) : undefined;
  let latestSettled = Number.NEGATIVE_INFINITY;
  for (const [list, entries] of lists.entries()) {
    const places = entries.names.map((name) => counted.indexOf(name));
    for (let at = 0; at < entries.items.length; at++) {
      const [item, time, type] = [entries.items[at]!, entries.timestamps[at]!, entries.types[at]!];
      const count = entries.counts?.[at] ?? 1;
      const isCounted = list > 0 && time <= (known!.get(keyOf(item, entries.names[type])) ?? -Infinity);
      if (count === 0 || (isCounted && type >= 0)) continue;
      const place = places[type] ?? -1;
      const isTarget = place >= 0 && place < targets;
      touched.add(item);
      if (isTarget) {
        settled.add(item);
        latestSettled = Math.max(latestSettled, time);
      }
      const row = rowOf.get(item);
      if (row === undefined) continue;
      const found = byRow.get(row) ?? createTouches(counted.length);
      byRow.set(row, found);
      if (place >= 0) found.counts[place]! += count;
      if (isTarget) found.settled = true;
      else {
        found.evidence += count;
        found.latest = Math.max(found.latest, time);
      }
    }
  }
  return { byRow, settled: settled.size, touched: touched.size, latest: latestSettled };
}

function createTouches(types: number): Touches {
  return {
    counts: new Float64Array(types),
    evidence: 0,
    latest: Number.NEGATIVE_INFINITY,
    settled: false,
  };
}

/**
 * The latest time of each item and type: a live event is in the bundle too once it was compacted and prepared, and what knows of one
 * event of an item and type knows of those before it.
 */
function findLatest({ items, timestamps, types, names }: TypedEntries): ReadonlyMap<string, number> {
  const latest = new Map<string, number>();
  for (let at = 0; at < items.length; at++) latest.set(keyOf(items[at]!, names[types[at]!]), timestamps[at]!);
  return latest;
}

/** What has no type is of this moment, or of a list that has no types at all: it is not there twice. */
function keyOf(item: number, type: string | undefined): string {
  return type === undefined ? '' : `${item} ${type}`;
}
