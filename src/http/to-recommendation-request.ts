import type { GivenContext } from '../domain/context.js';
import { splitNamedValue, toAttributeFilter } from '../domain/named-value.js';
import type { Explain } from '../domain/slate.js';
import type { Subject } from '../domain/subject.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import { readCursor } from './cursor.js';
import { DEFAULT_EXPLAIN, DEFAULT_LIMIT, LIMIT } from './schemas/parameters.js';

/** The validated query or body of any route that recommends. */
export interface Asked {
  readonly limit?: number;
  readonly exclude?: readonly string[];
  readonly filter?: readonly string[];
  readonly context?: readonly string[];
  readonly fields?: readonly string[];
  readonly explain?: Explain;
  readonly sessionItems?: readonly string[];
  readonly candidates?: readonly string[];
  readonly cursor?: string;
}

/**
 * Builds the pipeline's request from what was validated, defaults in place of what was not said.
 * @throws ShortlistError INVALID_CURSOR
 */
export function toRecommendationRequest(
  asked: Asked,
  origin: { subject: Subject; scenario: string },
): RecommendationRequest {
  const { sessionItems, candidates, context, cursor, fields } = asked;
  return {
    subject: origin.subject,
    scenario: origin.scenario,
    limit: asked.limit ?? defaultLimitOf(candidates),
    exclude: asked.exclude ?? [],
    filters: (asked.filter ?? []).map(toAttributeFilter),
    explain: asked.explain ?? DEFAULT_EXPLAIN,
    ...(fields && { fields }),
    ...(context && { context: context.map(parseContext) }),
    ...(sessionItems && { sessionItems }),
    ...(candidates && { candidates }),
    ...(cursor !== undefined && { shown: readCursor(cursor, origin) }),
  };
}

/** The subject that a request names by these ids, if any. */
export function toSubject({
  userId,
  sessionId,
}: {
  readonly userId?: string;
  readonly sessionId?: string;
}): Subject {
  return { ...(userId !== undefined && { userId }), ...(sessionId !== undefined && { sessionId }) };
}

/** Whoever names candidates wants all of them ranked. */
function defaultLimitOf(candidates: readonly string[] | undefined): number {
  return candidates === undefined ? DEFAULT_LIMIT : Math.min(new Set(candidates).size, LIMIT.maximum);
}

function parseContext(text: string): GivenContext {
  const [field, value] = splitNamedValue(text);
  return { field, value };
}
