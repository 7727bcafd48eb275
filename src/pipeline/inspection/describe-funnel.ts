import type { Engine } from '../engine.js';
import type { Prefetched } from '../execution.js';
import { readTyped } from '../read-history.js';
import { findKnownItems } from '../find-known-items.js';
import type { RecommendationRequest } from '../recommendation-request.js';
import type { StageResults } from '../stage-results.js';
import type { InspectedEntry, RuleMoves, SourceEffect } from './inspection.js';
import { createItemNaming } from './title-of.js';

/** The history that a request was answered by, oldest first. */
export function describeHistory(
  { query }: StageResults,
  {
    request,
    engine,
    prefetched,
  }: { request: RecommendationRequest; engine: Engine; prefetched?: Prefetched | undefined },
): InspectedEntry[] {
  const { history } = query;
  const nameOf = createItemNaming(engine.catalogue);
  const touched = new Set(findKnownItems(request.sessionItems ?? [], engine));
  const liveTimes = findLiveTimes(prefetched);
  const types = findTypes(request, engine, prefetched);
  return Array.from(history.items, (item, at): InspectedEntry => {
    const type = types.get(item);
    const liveTime = liveTimes.get(item);
    const isGiven = request.history !== undefined || touched.has(item);
    return {
      ...nameOf(item),
      // What is later than the bundle counts as of its last moment.
      time: toIsoTime(isGiven || liveTime === undefined ? history.timestamps[at]! : liveTime),
      ...(type !== undefined && { type }),
      value: history.values[at]!,
      from: isGiven ? 'request' : liveTime === undefined ? 'bundle' : 'live',
    };
  });
}

/** Milliseconds of the last moment of the calendar. */
const LAST_MS = 8.64e15;

function toIsoTime(time: number): string {
  return new Date(Math.max(-LAST_MS, Math.min(LAST_MS, 1000 * time))).toISOString();
}

function findLiveTimes({ live }: Prefetched = {}): ReadonlyMap<number, number> {
  if (live === undefined) return new Map();
  const wanted = Array.from(
    live.items,
    (item, at) => [item, live.timestamps[at]!, live.negative[at]!] as const,
  );
  return new Map(wanted.filter(([, , negative]) => negative === 0).map(([item, time]) => [item, time]));
}

/** The latest type of each item, where one is known. */
function findTypes(
  request: RecommendationRequest,
  engine: Engine,
  { live }: Prefetched = {},
): ReadonlyMap<number, string> {
  const types = new Map<number, string>();
  for (const entries of readTyped(request, engine, live)) {
    entries.items.forEach((item, at) => {
      const name = entries.names[entries.types[at]!];
      if (name !== undefined) types.set(item, name);
    });
  }
  return types;
}

/** What each source of the scenario gave. */
export function describeSources({ query, candidates, run }: StageResults, engine: Engine): SourceEffect[] {
  const { retrievals, ranks, items } = candidates;
  const givers = countGivers(candidates);
  return Object.entries(query.scenario.sources).map(([name, quota]) => {
    const column = retrievals.findIndex(({ source }) => source === name);
    const record = run.records.find(({ stage }) => stage === `candidates.${name}`);
    const found = retrievals[column]?.items ?? new Int32Array(0);
    return {
      name,
      quota,
      outcome: column >= 0 ? 'ok' : engine.sources.has(name) ? 'failed' : 'skipped',
      found: found.length,
      alone: found.filter((item) => givers.get(item) === 1).length,
      kept: column < 0 ? 0 : items.filter((_, row) => ranks[row * retrievals.length + column]! > 0).length,
      milliseconds: record?.milliseconds ?? 0,
    };
  });
}

/** How many sources gave each item. */
function countGivers({ retrievals }: StageResults['candidates']): ReadonlyMap<number, number> {
  const givers = new Map<number, number>();
  for (const { items } of retrievals) for (const item of items) givers.set(item, (givers.get(item) ?? 0) + 1);
  return givers;
}

/** How many of the shown items each rule after ranking moved. */
export function describeMoves({ query, selection: { reasons = [] } }: StageResults): RuleMoves[] {
  const names = [...new Set(query.rules.slate.map(({ name }) => name))];
  return names.map((rule) => ({
    rule,
    moved: reasons.filter((moves) => moves.some((move) => move.rule === rule)).length,
  }));
}
