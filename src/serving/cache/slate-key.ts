import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { History } from '../../domain/history.js';
import { keyOf } from '../../domain/subject.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Prefetched } from '../../pipeline/execution.js';
import type { PrefetchedRows } from '../../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/**
 * Names the answer to a request: two requests of one name have one answer. It says what is asked, in any order, and all that the answer
 * depends on: scenarios, bundle (histories, tables, models), context with the hour and the weekday where the bundle goes by them, and
 * what stores outside of the process have of the user, which must be prefetched. What may be long is in it as a digest.
 * @throws ShortlistError UNKNOWN_CONTEXT, INVALID_REQUEST for a context of another type
 */
export type SlateKeys = (
  request: RecommendationRequest,
  engine: FallbackEngine,
  prefetched?: Prefetched,
) => string;

/** Creates the names of answers under a set of scenarios. */
export function createSlateKeys(scenarios: ReadonlyMap<string, ScenarioConfig>): SlateKeys {
  const configured = digest(JSON.stringify([...scenarios]));
  return (request, { manifest, readContext, clock }, prefetched) => {
    const { subject, scenario, limit, explain } = request;
    const context = readContext(request.context ?? [], clock()).join();
    const rest = nameRest(request, prefetched);
    return `${configured} ${manifest.version} ${JSON.stringify([scenario, manifest.dataset.name])} ${limit} ${explain} ${context} ${keyOf(subject)}${rest}`;
  };
}

/** Base64url of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** What most requests are without: nobody should wait for a digest of nothing. */
function nameRest(
  { exclude, filters }: RecommendationRequest,
  { userRows, history }: Prefetched = {},
): string {
  if (exclude.length === 0 && filters.length === 0 && userRows === undefined && history === undefined)
    return '';
  const rest = [
    toSet(exclude),
    toSet(filters.map(({ attribute, value }) => JSON.stringify([attribute, value]))),
    userRows === undefined ? null : describeRows(userRows),
    ...(history === undefined ? [] : [describeHistory(history)]),
  ];
  return digest(JSON.stringify(rest));
}

function toSet(values: readonly string[]): readonly string[] {
  return values.length < 2 ? values : [...new Set(values)].sort();
}

/** The rows themselves and not a version of them: whoever changes a row, by whatever way, changes what it is called. */
function describeRows({ rows, failedViews }: PrefetchedRows): unknown {
  const read = Array.from(rows, ([view, { values, statuses }]) => [
    view,
    Array.from(values),
    Array.from(statuses),
  ]);
  return [read, ...(failedViews ?? [])];
}

function describeHistory({ items, timestamps, values }: History): unknown {
  return [Array.from(items), Array.from(timestamps), Array.from(values)];
}
