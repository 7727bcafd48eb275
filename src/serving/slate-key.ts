import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import type { BroughtRows } from '../pipeline/read-user-rows.js';
import type { Basis, RecommendationRequest } from '../pipeline/recommendation-request.js';

/**
 * Names the answer to a request: two requests of one name have one answer. Digest of what is asked, in any order, and of all
 * that the answer depends on: scenarios, bundle (histories, tables, models), context with the hour and the weekday where the
 * bundle goes by them, and what stores outside of the process have of the user, which the request must bring.
 * @throws ShortlistError UNKNOWN_CONTEXT, INVALID_REQUEST for a context of another type
 */
export type SlateKeys = (request: RecommendationRequest, engine: FallbackEngine) => string;

export function createSlateKeys(scenarios: ReadonlyMap<string, ScenarioConfig>): SlateKeys {
  const configured = digest(JSON.stringify([...scenarios]));
  return (request, { manifest, readContext, clock }) =>
    digest(
      JSON.stringify([
        configured,
        manifest.version,
        request.basis.kind,
        idOf(request.basis),
        request.scenario,
        request.limit,
        request.explain,
        toSet(request.exclude),
        toSet(request.filters.map(({ attribute, value }) => JSON.stringify([attribute, value]))),
        Array.from(readContext(request.context ?? [], clock())),
        request.broughtRows === undefined ? null : describeRows(request.broughtRows),
      ]),
    );
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

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
