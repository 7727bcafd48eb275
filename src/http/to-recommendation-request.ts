import type { GivenContext } from '../domain/context.js';
import type { AttributeFilter, Explain } from '../domain/slate.js';
import type { Subject } from '../domain/subject.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import { DEFAULT_EXPLAIN, DEFAULT_LIMIT } from './schemas/parameters.js';

/** The validated query of any route that recommends. */
export interface Query {
  readonly limit?: number;
  readonly exclude?: readonly string[];
  readonly filter?: readonly string[];
  readonly context?: readonly string[];
  readonly explain?: Explain;
}

/** Builds the pipeline's request from a validated query, defaults in place of what was not said. */
export function toRecommendationRequest(
  query: Query,
  origin: { subject: Subject; scenario: string },
): RecommendationRequest {
  const request = {
    subject: origin.subject,
    scenario: origin.scenario,
    limit: query.limit ?? DEFAULT_LIMIT,
    exclude: query.exclude ?? [],
    filters: (query.filter ?? []).map(parseFilter),
    explain: query.explain ?? DEFAULT_EXPLAIN,
  };
  return query.context === undefined ? request : { ...request, context: query.context.map(parseContext) };
}

function parseFilter(text: string): AttributeFilter {
  const [attribute, value] = splitAtColon(text);
  return { attribute, value };
}

function parseContext(text: string): GivenContext {
  const [field, value] = splitAtColon(text);
  return { field, value };
}

/** The name ends at the first colon; the value may contain more. */
function splitAtColon(text: string): [name: string, value: string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1)];
}
