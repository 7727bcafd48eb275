import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import type { BroughtRows } from '../pipeline/read-user-rows.js';
import type { Basis, RecommendationRequest } from '../pipeline/recommendation-request.js';

/**
 * Names the answer to a request: two requests of one name have one answer. It says what is asked, in any order, and all that the answer
 * depends on: scenarios, bundle (histories, tables, models), context with the hour and the weekday where the bundle goes by them, and
 * what stores outside of the process have of the user, which the request must bring. What may be long is in it as a digest.
 * @throws ShortlistError UNKNOWN_CONTEXT, INVALID_REQUEST for a context of another type
 */
export type SlateKeys = (request: RecommendationRequest, engine: FallbackEngine) => string;

export function createSlateKeys(scenarios: ReadonlyMap<string, ScenarioConfig>): SlateKeys {
  const configured = digest(JSON.stringify([...scenarios]));
  return (request, { manifest, readContext, clock }) => {
    const { basis, scenario, limit, explain } = request;
    const context = readContext(request.context ?? [], clock()).join();
    const asked = JSON.stringify([scenario, idOf(basis), manifest.dataset.name]);
    return `${configured} ${manifest.version} ${basis.kind} ${limit} ${explain} ${context} ${asked}${nameRest(request)}`;
  };
}

/** Base64url of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** What most requests are without: nobody should wait for a digest of nothing. */
function nameRest({ exclude, filters, broughtRows }: RecommendationRequest): string {
  if (exclude.length === 0 && filters.length === 0 && broughtRows === undefined) return '';
  const rest = [
    toSet(exclude),
    toSet(filters.map(({ attribute, value }) => JSON.stringify([attribute, value]))),
    broughtRows === undefined ? null : describeRows(broughtRows),
  ];
  return digest(JSON.stringify(rest));
}

function idOf(basis: Basis): string {
  if (basis.kind === 'user') return basis.userId;
  return basis.kind === 'item' ? basis.itemId : '';
}

function toSet(values: readonly string[]): readonly string[] {
  return values.length < 2 ? values : [...new Set(values)].sort();
}

/** The rows themselves and not a version of them: whoever changes a row, by whatever way, changes what it is called. */
function describeRows({ rows, failedViews }: BroughtRows): unknown {
  const read = Array.from(rows, ([view, { values, statuses }]) => [
    view,
    Array.from(values),
    Array.from(statuses),
  ]);
  return [read, ...(failedViews ?? [])];
}
