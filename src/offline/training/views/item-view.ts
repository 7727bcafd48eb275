import type { Catalogue } from '../../../domain/catalogue.js';
import { ShortlistError } from '../../../domain/errors.js';
import { filterInteractions, type InteractionTable } from '../../../domain/interactions.js';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import type { ViewColumn } from './encode-attribute.js';
import { createViewTable, encodeColumns, type ViewTimes } from './view-table.js';

/** Windows over which an item's popularity is also measured. */
const WINDOW_DAYS = [7, 30, 90];

/** Half-lives, in days, of the popularity that fades. */
const HALF_LIFE_DAYS = [1, 3, 7, 30];

/** What an item nobody has touched of late counts for, in interactions of this moment. */
const TREND_FLOOR = 1e-3;

/** An item's mean value is drawn towards the mean of all with the weight of this many interactions. */
const PRIOR_INTERACTIONS = 5;

/**
 * The items view as of `knownUntil`: the ranker's columns of the items table, and what the interactions up to then say of
 * each item, scale-free (log shares, not counts) so that a ranker trained at one time fits another. Where interactions have no dates, what
 * goes by ages is there, as rules of scenarios may name it, and the ranker does not read it.
 *
 * @param interactions nothing in it may lie after `knownUntil`
 */
export function buildItemView(
  interactions: InteractionTable,
  catalogue: Catalogue,
  options: ViewTimes,
): FeatureTable {
  const columns = [
    complete('popularity', logShares(interactions, Number.NEGATIVE_INFINITY)),
    ...describeMoment(interactions, options.knownUntil),
    describeValues(interactions),
    ...describeTarget(interactions, options.knownUntil),
    ...encodeColumns(catalogue),
  ];
  refuseSameNames(columns);
  return createViewTable({ entity: 'item', entities: catalogue.entities }, columns, options);
}

/** Everything that goes by ages of interactions. */
function describeMoment(interactions: InteractionTable, knownUntil: number): ViewColumn[] {
  const columns = [
    ...describeLatePopularity(interactions, knownUntil),
    ...describeTrend(interactions, knownUntil),
    ...describeAge(interactions, knownUntil),
  ];
  if (interactions.times.hasDates) return columns;
  return columns.map(({ field, values }) => ({ field: { ...field, input: false }, values }));
}

function describeLatePopularity(interactions: InteractionTable, knownUntil: number): ViewColumn[] {
  const windows = WINDOW_DAYS.map((days) => logShares(interactions, knownUntil - days * SECONDS_PER_DAY));
  const acceleration = windows[0]!.map((share, item) => share - windows[1]![item]!);
  return [
    ...windows.map((shares, index) => complete(`popularity_${WINDOW_DAYS[index]}d`, shares)),
    complete('popularity_acceleration', acceleration),
  ];
}

/** Log of each item's share of the interactions since a time, with one interaction added to each item. */
function logShares(interactions: InteractionTable, since: number): Float32Array {
  const counts = new Float64Array(interactions.items.size).fill(1);
  let total = counts.length;
  for (let row = 0; row < interactions.item.length; row++) {
    if (interactions.timestamp[row]! <= since) continue;
    counts[interactions.item[row]!]!++;
    total++;
  }
  return Float32Array.from(counts, (count) => Math.log(count / total));
}

/** Fading popularity per half-life, and how much the shorter memory is ahead of the longer: is an item on the rise? */
function describeTrend(interactions: InteractionTable, knownUntil: number): ViewColumn[] {
  const trends = HALF_LIFE_DAYS.map((days) => logFadingShares(interactions, knownUntil, days));
  const [day, threeDays, week, month] = trends as [Float32Array, Float32Array, Float32Array, Float32Array];
  return [
    ...trends.map((shares, index) => complete(`trend_${HALF_LIFE_DAYS[index]}d`, shares)),
    complete(
      'trend_acceleration_1d',
      day.map((share, item) => share - week[item]!),
    ),
    complete(
      'trend_acceleration_3d',
      threeDays.map((share, item) => share - month[item]!),
    ),
  ];
}

/** Log of each item's share of all interactions, each of which counts for half of what it did a half-life before. */
function logFadingShares(
  interactions: InteractionTable,
  knownUntil: number,
  halfLifeDays: number,
): Float32Array {
  const weights = new Float64Array(interactions.items.size).fill(TREND_FLOOR);
  let total = 0;
  for (let row = 0; row < interactions.item.length; row++) {
    const days = (knownUntil - interactions.timestamp[row]!) / SECONDS_PER_DAY;
    const weight = 0.5 ** (days / halfLifeDays);
    weights[interactions.item[row]!]! += weight;
    total += weight;
  }
  return Float32Array.from(weights, (weight) => Math.log(weight / Math.max(total, TREND_FLOOR)));
}

/**
 * Log of the days since an item was first, last and on average touched, and of how often it was touched per day since the
 * first time; an item nobody has touched is new: 0 days old.
 */
function describeAge(interactions: InteractionTable, knownUntil: number): ViewColumn[] {
  const items = interactions.items.size;
  const first = new Float64Array(items);
  const last = new Float64Array(items).fill(Number.POSITIVE_INFINITY);
  const total = new Float64Array(items);
  const counts = new Float64Array(items);
  for (let row = 0; row < interactions.item.length; row++) {
    const item = interactions.item[row]!;
    const days = Math.max(0, knownUntil - interactions.timestamp[row]!) / SECONDS_PER_DAY;
    first[item] = Math.max(first[item]!, days);
    last[item] = Math.min(last[item]!, days);
    total[item]! += days;
    counts[item]!++;
  }
  const logDays = (days: number): number => Math.log1p(days);
  return [
    complete('age_log_days', Float32Array.from(first, logDays)),
    complete(
      'idle_log_days',
      Float32Array.from(last, (days) => (Number.isFinite(days) ? logDays(days) : 0)),
    ),
    complete(
      'mean_age_log_days',
      Float32Array.from(total, (days, item) => logDays(days / Math.max(1, counts[item]!))),
    ),
    complete(
      'log_rate',
      Float32Array.from(counts, (count, item) => Math.log1p(count) - logDays(first[item]!)),
    ),
  ];
}

function describeValues(interactions: InteractionTable): ViewColumn {
  const sums = new Float64Array(interactions.items.size);
  const counts = new Float64Array(interactions.items.size);
  let total = 0;
  for (let row = 0; row < interactions.item.length; row++) {
    sums[interactions.item[row]!]! += interactions.value[row]!;
    counts[interactions.item[row]!]!++;
    total += interactions.value[row]!;
  }
  const overall = total / Math.max(1, interactions.item.length);
  const means = sums.map(
    (sum, item) => (sum + PRIOR_INTERACTIONS * overall) / (counts[item]! + PRIOR_INTERACTIONS),
  );
  return complete('value_mean', Float32Array.from(means));
}

/**
 * Where something is to be predicted: log of each item's share of the rows of the target, over all time and of late, and log of the
 * share of the item's own rows that are of the target, drawn towards that of all items: is what is viewed bought, too?
 */
function describeTarget(interactions: InteractionTable, knownUntil: number): ViewColumn[] {
  const { target, item, items } = interactions;
  if (target === undefined) return [];
  const targets = filterInteractions(interactions, (row) => target.rows[row] === 1);
  const counts = new Float64Array(items.size);
  const hits = new Float64Array(items.size);
  for (const each of item) counts[each]!++;
  for (const each of targets.item) hits[each]!++;
  const overall = (targets.item.length + 1) / (item.length + 1);
  const rates = hits.map((hit, each) =>
    Math.log((hit + PRIOR_INTERACTIONS * overall) / (counts[each]! + PRIOR_INTERACTIONS)),
  );
  return [
    complete('target_popularity', logShares(targets, Number.NEGATIVE_INFINITY)),
    complete('target_popularity_30d', logShares(targets, knownUntil - 30 * SECONDS_PER_DAY)),
    complete('target_rate', Float32Array.from(rates)),
  ];
}

function complete(name: string, values: Float32Array): ViewColumn {
  return { field: { name, type: 'float32', default: 0 }, values };
}

function refuseSameNames(columns: readonly ViewColumn[]): void {
  const names = columns.map((column) => column.field.name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length === 0) return;
  throw new ShortlistError(
    'INVALID_DATASET',
    'Columns of the items table have names that Shortlist gives itself.',
    {
      problems: twice.map((name) => `column '${name}': rename it in the SQL of the dataset`),
    },
  );
}
