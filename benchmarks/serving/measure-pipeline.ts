import type { Engine } from '../../src/pipeline/engine.js';
import { recommend } from '../../src/pipeline/recommend.js';
import { Latencies, type Percentiles } from '../../src/load-test/latencies.js';

/** Service times in milliseconds of one request at a time in one thread. */
export interface PipelineTimes {
  readonly total: Percentiles;
  /** Of each stage, in the order in which they run. */
  readonly stages: ReadonlyMap<string, Percentiles>;
}

const WARM_UP_REQUESTS = 200;
/** Far apart in the order of the users, so that what one touched does not help the next. */
const STRIDE = 7919;

/** Answers requests of known users one after the other for some seconds, limit 10, after some that warm up. */
export async function measurePipeline(
  engine: Engine,
  options: { scenario: string; seconds: number },
): Promise<PipelineTimes> {
  const { scenario, seconds } = options;
  const total = new Latencies(3);
  const stages = new Map<string, Latencies>();
  let endsAt = Number.POSITIVE_INFINITY;
  for (let request = -WARM_UP_REQUESTS; performance.now() < endsAt; request++) {
    if (request === 0) endsAt = performance.now() + 1000 * seconds;
    const userId = engine.users.idAt(Math.abs(request * STRIDE) % engine.users.size);
    const subject = { userId };
    const started = performance.now();
    const { stages: records } = await recommend(
      { subject, scenario, limit: 10, exclude: [], filters: [], explain: 'none' },
      engine,
    );
    const elapsed = performance.now() - started;
    if (request < 0) continue;
    total.record(elapsed);
    for (const { stage, milliseconds } of records) {
      const times = stages.get(stage) ?? new Latencies(3);
      times.record(milliseconds);
      stages.set(stage, times);
    }
  }
  return {
    total: total.summarise()!,
    stages: new Map([...stages].map(([stage, times]) => [stage, times.summarise()!])),
  };
}
