import { logFieldsOf } from '../../domain/subject.js';
import type { FeatureLog } from '../../events/feature-log.js';
import { encodeVector, type FeatureRecord, type ShownFeatures } from '../../pipeline/feature-record.js';
import type { AnswerListener } from './answer-listener.js';

/**
 * Logs the features that the ranker read for the sampled requests whose answer was computed for them; one that was kept, or computed for
 * another request, is not logged again.
 */
export function logFeatures(log: FeatureLog): AnswerListener {
  return {
    wants: (_request, requestId) => ({ features: log.isLogged(requestId) }),
    sent: ({ requestId, request, answer: { cache, report } }) => {
      if (report?.features === undefined) return;
      const { slate, depth, features } = report;
      if (cache === 'joined' || slate.items.length === 0) return;
      const { values, ...facts } = features;
      log.write({
        time: new Date().toISOString(),
        requestId,
        ...logFieldsOf(request.subject),
        scenario: slate.scenario,
        bundle: slate.bundle,
        degraded: slate.degraded,
        limit: request.limit,
        ...(depth !== undefined && { depth }),
        exclude: request.exclude,
        filters: request.filters,
        ...(request.sessionItems && { sessionItems: request.sessionItems }),
        ...(request.candidates && { candidates: request.candidates }),
        ...(request.shown && { shown: request.shown }),
        context: request.context ?? [],
        ...facts,
        items: listVectors(
          slate.items.map(({ itemId }) => itemId),
          values,
        ),
      });
    },
    close: () => log.close(),
  };
}

function listVectors(ids: readonly string[], values: ShownFeatures['values']): FeatureRecord['items'] {
  const columns = values.length / ids.length;
  return ids.map((id, at) => ({
    id,
    vector: encodeVector(values.subarray(at * columns, (at + 1) * columns)),
  }));
}
