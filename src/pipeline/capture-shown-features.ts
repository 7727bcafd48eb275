import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Engine } from './engine.js';
import type { LiveHistory, TypedEntries } from '../domain/history.js';
import type { Prefetched } from './execution.js';
import type { Query } from './hydrate-query.js';
import type { LiveEntry, LiveTypedEntry, OnlineRows, ShownFeatures } from './feature-record.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { PrefetchedRows } from './read-user-rows.js';
import type { Selection } from './arrange.js';

/**
 * The inputs of the ranker for the selected candidates, best first; undefined where no ranker scored them.
 */
export function captureShownFeatures(
  { rows }: Selection,
  options: {
    ranked: RankedCandidates;
    query: Pick<Query, 'scenario' | 'subject'>;
    prefetched: Prefetched | undefined;
    engine: Engine;
  },
): ShownFeatures | undefined {
  const { ranked, query, prefetched: { userRows, live } = {}, engine } = options;
  if (ranked.matrix === undefined) return undefined;
  const { data, columns } = ranked.matrix;
  const values = new Float32Array(rows.length * columns);
  rows.forEach((row, at) => values.set(data.subarray(row * columns, (row + 1) * columns), at * columns));
  const now = engine.clock();
  return {
    values,
    featuresHash: engine.manifest.ranker.featureOrderHash,
    scenarioHash: hashScenario(query.scenario),
    now,
    ...(query.subject.isForgotten === true && { isForgotten: true }),
    ...(userRows !== undefined && { online: describeOnline(userRows, now) }),
    ...(live !== undefined && { live: describeLive(live, engine) }),
    ...(live?.typed !== undefined && { liveTypes: describeTyped(live.typed, engine) }),
  };
}

/** Names what a scenario says. */
export function hashScenario(scenario: ScenarioConfig): string {
  return hash('sha256', JSON.stringify(scenario), 'hex').slice(0, 16);
}

function describeLive(
  { items, timestamps, values, negative }: LiveHistory,
  { catalogue }: Engine,
): LiveEntry[] {
  return Array.from(items, (item, at) => ({
    item: catalogue.entities.idAt(item),
    time: timestamps[at]!,
    value: values[at]!,
    ...(negative[at] === 1 && { negative: true }),
  }));
}

function describeTyped(
  { items, timestamps, types, counts, names }: TypedEntries,
  { catalogue }: Engine,
): LiveTypedEntry[] {
  return Array.from(items, (item, at) => ({
    item: catalogue.entities.idAt(item),
    time: timestamps[at]!,
    type: names[types[at]!]!,
    ...(counts?.[at] === 0 && { counts: false }),
  }));
}

function describeOnline({ rows, readAt }: PrefetchedRows, now: number): OnlineRows {
  return {
    readAt: readAt ?? now,
    statuses: Object.fromEntries(Array.from(rows, ([view, { statuses }]) => [view, [...statuses]])),
  };
}
