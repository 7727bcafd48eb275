import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { LiveHistory } from '../../domain/history.js';
import { keyOf } from '../../domain/subject.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Prefetched } from '../../pipeline/execution.js';
import type { PrefetchedRows } from '../../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/**
 * Names the answer to a request: two requests of one name have one answer. It says what is asked, in any order, and all that the answer
 * depends on: scenarios, which of their rules are in force, bundle (histories, tables, models), context with the hour and the weekday where the bundle goes by them, and
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
  return (request, { manifest, readContext, clock, rules }, prefetched) => {
    const { subject, scenario, limit, explain } = request;
    const now = clock();
    const context = readContext(request.context ?? [], now).join();
    const phase = rules.get(scenario)?.phaseAt(now) ?? '';
    const rest = nameRest(request, prefetched);
    return `${configured} ${manifest.version} ${JSON.stringify([scenario, manifest.dataset.name])} ${limit} ${explain} ${context} ${phase} ${keyOf(subject)}${rest}`;
  };
}

/** Base64url of SHA-256. */
export function digest(content: string | Buffer): string {
  return hash('sha256', content, 'base64url');
}

/** What most requests are without: nobody should wait for a digest of nothing. */
function nameRest(
  { exclude, filters, fields, sessionItems, candidates, shown }: RecommendationRequest,
  { userRows, live, liveFailure, tired }: Prefetched = {},
): string {
  const isPlain = exclude.length === 0 && filters.length === 0;
  const rest = {
    userRows: userRows && describeRows(userRows),
    live: live && describeLive(live),
    // An answer that goes without what the user did lately says so: it is none for when that is known again.
    isLiveLost: liveFailure === undefined ? undefined : true,
    fields: fields && toSet(fields),
    tired: tired && Array.from(tired),
    sessionItems,
    candidates,
    shown,
  };
  if (isPlain && Object.values(rest).every((value) => value === undefined)) return '';
  const wishes = [
    toSet(exclude),
    toSet(filters.map(({ attribute, value }) => JSON.stringify([attribute, value]))),
  ];
  return digest(JSON.stringify([...wishes, rest]));
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

/** Of the bytes: as text, 200 events take as long as reading them. */
function describeLive({ items, timestamps, values, negative, typed }: LiveHistory): string {
  const columns = [items, timestamps, values, negative];
  if (typed !== undefined) columns.push(typed.items, typed.timestamps, typed.types);
  if (typed?.counts !== undefined) columns.push(typed.counts);
  const bytes = columns.map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  if (typed !== undefined) bytes.push(Buffer.from(JSON.stringify(typed.names)));
  return digest(Buffer.concat(bytes));
}
