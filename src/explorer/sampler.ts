import type { Api } from './api.js';
import { parseMetrics } from './metrics.js';
import { createObservable, type Observable } from './observable.js';
import { CHARTS, isCharted, type Look } from './series.js';

/** What the charts show: the times of the looks, and a row of values for each line of each chart. */
export interface Recording {
  /** Unix seconds. */
  readonly times: readonly number[];
  /** By chart, then by line; undefined where there was nothing. */
  readonly values: readonly (readonly (readonly (number | undefined)[])[])[];
}

/** Looks at the metrics every two seconds and keeps the last ten minutes. */
export interface Sampler {
  readonly recording: Observable<Recording>;
  /** @returns what ends it */
  start(): () => void;
}

const INTERVAL_MS = 2000;
const KEPT = 300;
const NOTHING: Recording = { times: [], values: CHARTS.map(({ lines }) => lines.map(() => [])) };

/** Creates a sampler, which does nothing before it is started. */
export function createSampler(api: Api): Sampler {
  const recording = createObservable(NOTHING);
  let before: Look | undefined;

  async function look(signal: AbortSignal): Promise<void> {
    const text = await api.readMetrics(signal);
    const now: Look = { at: performance.now() / 1000, metrics: parseMetrics(text, isCharted) };
    recording.set(extend(recording.get(), before, now));
    before = now;
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What a look fails of stands in a banner; the next one may do better.
      await look(signal).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  }

  return {
    recording,
    start: () => {
      const controller = new AbortController();
      void run(controller.signal);
      return () => controller.abort();
    },
  };
}

function extend({ times, values }: Recording, before: Look | undefined, now: Look): Recording {
  return {
    times: [...times, Date.now() / 1000].slice(-KEPT),
    values: CHARTS.map(({ lines }, chart) =>
      lines.map(({ read }, line) => [...values[chart]![line]!, read(before, now)].slice(-KEPT)),
    ),
  };
}
