import type { FastifyRequest } from 'fastify';
import { logFieldsOf } from '../domain/subject.js';
import type { FeatureLog } from '../events/feature-log.js';
import { encodeVector, type FeatureRecord, type ShownFeatures } from '../pipeline/feature-record.js';

/**
 * Logs what the ranker read for a request whose answer was computed for it; what was kept, or computed for another, is
 * not logged again. After the answer: nobody waits for it.
 */
export function logFeatures(log: FeatureLog, { id, asked, slateAnswer }: FastifyRequest): void {
  if (asked === undefined || slateAnswer?.record?.features === undefined) return;
  const { cache, record } = slateAnswer;
  const { slate, depth, features } = record;
  if (cache === 'joined' || slate.items.length === 0) return;
  const { values, ...facts } = features!;
  log.write({
    time: new Date().toISOString(),
    requestId: id,
    ...logFieldsOf(asked.subject),
    scenario: slate.scenario,
    bundle: slate.bundle,
    degraded: slate.degraded,
    limit: asked.limit,
    ...(depth !== undefined && { depth }),
    exclude: asked.exclude,
    filters: asked.filters,
    context: asked.context ?? [],
    ...facts,
    items: listVectors(
      slate.items.map(({ itemId }) => itemId),
      values,
    ),
  });
}

function listVectors(ids: readonly string[], values: ShownFeatures['values']): FeatureRecord['items'] {
  const columns = values.length / ids.length;
  return ids.map((id, at) => ({
    id,
    vector: encodeVector(values.subarray(at * columns, (at + 1) * columns)),
  }));
}
