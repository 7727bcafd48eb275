import type { ShortlistError } from '../domain/errors.js';
import { arrange } from './arrange.js';
import { describeItems } from './describe-items.js';
import type { FallbackEngine } from './engine.js';
import type { Execution } from './execution.js';
import { hydrateQuery } from './hydrate-query.js';
import { orderByFusion } from './rank-candidates.js';
import type { SlateReport, RecommendationRequest } from './recommendation-request.js';
import { toRetrievalQuery } from './retrieve-candidates.js';
import { createStageRun } from './run-stage.js';
import type { StageResults } from './stage-results.js';
import { LAST_RESORT, mergeForRules } from './supply-rules.js';

/** Why the pipeline as a whole failed, and what had been read by then. */
export interface FallbackOptions extends Pick<Execution, 'prefetched' | 'onRemoval'> {
  /** Is named in `degraded`, by its reason where it has one, else by its code. */
  readonly cause: ShortlistError & { readonly reason?: string };
}

/**
 * Answers a request whose pipeline failed as a whole: with what most people chose, under the rules of the
 * scenario.
 * @throws `options.cause`, when the bundle has no popular items
 */
export async function fallBack(
  request: RecommendationRequest,
  engine: FallbackEngine,
  options: FallbackOptions,
): Promise<SlateReport> {
  const { query, candidates, ranked, selection, run } = await takeFallbackStages(request, engine, options);
  const { explain } = request;
  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: 'cold-start',
      degraded: run.degraded,
      items: describeItems(selection, { candidates, ranked, fields: query.fields, explain, engine }),
      hasMore: candidates.items.length > selection.rows.length,
      ...(query.named && { dropped: query.named.dropped }),
    },
    stages: run.records,
    candidateCount: candidates.items.length,
  };
}

/** What the stages in place of those of the pipeline gave. Throws as `fallBack` does. */
export async function takeFallbackStages(
  request: RecommendationRequest,
  engine: FallbackEngine,
  { cause, ...reading }: FallbackOptions,
): Promise<StageResults> {
  const source = engine.sources.get(LAST_RESORT);
  if (source === undefined) throw cause;
  const started = performance.now();
  const query = hydrateQuery(request, engine, reading);
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
  const selection = arrange(ranked.scores, candidates, { query, reasons: request.explain === 'reasons' });
  const { degraded } = createStageRun({ history: reading.prefetched?.liveFailure });
  const milliseconds = performance.now() - started;
  return {
    query,
    candidates,
    ranked,
    selection,
    run: {
      records: [{ stage: 'pipeline', milliseconds, outcome: 'fallback', cause }],
      degraded: [...degraded, { stage: 'pipeline', reason: cause.reason ?? cause.code.toLowerCase() }],
    },
  };
}
