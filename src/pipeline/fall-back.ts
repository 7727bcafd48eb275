import type { ShortlistError } from '../domain/errors.js';
import { arrange } from './arrange.js';
import { describeItems } from './describe-items.js';
import type { FallbackEngine } from './engine.js';
import type { Prefetched } from './execution.js';
import { hydrateQuery } from './hydrate-query.js';
import { orderByFusion } from './rank-candidates.js';
import type { SlateReport, RecommendationRequest } from './recommendation-request.js';
import { toRetrievalQuery } from './retrieve-candidates.js';
import { createStageRun } from './run-stage.js';
import { LAST_RESORT, mergeForRules } from './supply-rules.js';

/**
 * Answers a request whose pipeline failed as a whole: with what most people chose, under the rules of the
 * scenario.
 * @param options.cause is named in `degraded`, by its reason where it has one, else by its code
 * @throws `options.cause`, when the bundle has no popular items
 */
export async function fallBack(
  request: RecommendationRequest,
  engine: FallbackEngine,
  {
    cause,
    prefetched,
  }: { cause: ShortlistError & { readonly reason?: string }; prefetched?: Prefetched | undefined },
): Promise<SlateReport> {
  const source = engine.sources.get(LAST_RESORT);
  if (source === undefined) throw cause;
  const started = performance.now();
  const query = hydrateQuery(request, engine, prefetched);
  const { explain } = request;
  // One more than is shown, to know whether there is more; rules choose among more.
  const { maxCandidates } = query.scenario;
  const limit = Math.max(request.limit + 1, query.rules.slate.length === 0 ? 0 : maxCandidates);
  const asking = toRetrievalQuery(query, limit);
  const candidates = await mergeForRules([await source.retrieve(asking)], {
    limit,
    query,
    asking,
    lastResort: source,
  });
  const ranked = orderByFusion(candidates);
  const selection = arrange(ranked.scores, candidates, { query, reasons: explain === 'reasons' });
  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: 'cold-start',
      degraded: [
        ...createStageRun({ history: prefetched?.liveFailure }).degraded,
        { stage: 'pipeline', reason: cause.reason ?? cause.code.toLowerCase() },
      ],
      items: describeItems(selection, { candidates, ranked, fields: query.fields, explain, engine }),
      hasMore: candidates.items.length > selection.rows.length,
      ...(query.named && { dropped: query.named.dropped }),
    },
    stages: [{ stage: 'pipeline', milliseconds: performance.now() - started, outcome: 'fallback', cause }],
    candidateCount: candidates.items.length,
  };
}
