import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Pause } from '../../engine/collect-problems.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/** Requests that let the compiler see the whole path before a client does: without them the first answer took 40 ms, not 2. */
const WARM_UP_REQUESTS = 50;

/**
 * Asks for some known users in every scenario that starts from one, and throws the answers away.
 * @param pause is called after every answer
 */
export async function warm(
  engine: FallbackEngine,
  ask: (request: RecommendationRequest) => Promise<unknown>,
  pause?: Pause,
): Promise<void> {
  const count = Math.min(WARM_UP_REQUESTS, engine.users.size);
  const users = Array.from({ length: count }, (_, index) => engine.users.idAt(index));
  const scenarios = [...engine.scenarios.values()].filter(({ basis = 'user' }) => basis === 'user');
  for (const { name: scenario } of scenarios) {
    for (const userId of users) {
      await ask({ subject: { userId }, scenario, limit: 10, exclude: [], filters: [], explain: 'none' });
      await pause?.();
    }
  }
}
