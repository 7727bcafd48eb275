import { pino } from 'pino';
import t from 'tap';
import { createMetrics } from '../../../src/observability/metrics/metrics.js';
import { createFeatureObserver } from '../../../src/serving/online/create-feature-observer.js';

t.test('a load slower than the rate is a warning and a count, a small or quick one is not', async (t) => {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const metrics = createMetrics({ processMetrics: false });
  const observer = createFeatureObserver(
    { metrics: metrics.features, logger, clock: () => 1000 },
    { minLoadMegabytesPerSecond: 20 },
  );
  observer.loaded({ view: 'items', rows: 10, bytes: 999_999, seconds: 10 });
  observer.loaded({ view: 'items', rows: 10, bytes: 4_000_000, seconds: 0.2 });
  t.strictSame(lines, []);
  t.match(await metrics.render(), 'shortlist_feature_slow_loads_total{view="items"} 0');

  observer.loaded({ view: 'items', rows: 10, bytes: 4_000_000, seconds: 0.4 });
  t.match(lines, { length: 1 });
  t.match(JSON.parse(lines[0]!), { level: 40, view: 'items', megabytesPerSecond: 10, minimum: 20 });
  t.match(await metrics.render(), 'shortlist_feature_slow_loads_total{view="items"} 1');

  observer.read({ view: 'users', present: 3, defaulted: 1, stale: 2, unknownEntity: 0 });
  t.match(await metrics.render(), 'shortlist_feature_values_total{view="users",status="present"} 3');
  t.match(await metrics.render(), 'shortlist_feature_values_total{view="users",status="stale"} 2');
});

t.test('the age of the newest row is that of the moment it is asked for', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const logger = pino({ enabled: false });
  let now = 1000;
  const observer = createFeatureObserver(
    { metrics: metrics.features, logger, clock: () => now },
    { minLoadMegabytesPerSecond: 0 },
  );
  observer.loaded({ view: 'items', rows: 10, bytes: 40, seconds: 1, newestEventTime: 400 });
  observer.loaded({ view: 'users', rows: 0, bytes: 0, seconds: 1, newestEventTime: undefined });
  const text = await metrics.render();
  t.match(text, 'shortlist_feature_newest_event_age_seconds{view="items"} 600');
  t.notMatch(text, 'shortlist_feature_newest_event_age_seconds{view="users"}');
  now = 4600;
  t.match(await metrics.render(), 'shortlist_feature_newest_event_age_seconds{view="items"} 4200');
  now = 100;
  t.match(
    await metrics.render(),
    'shortlist_feature_newest_event_age_seconds{view="items"} 0',
    'a clock that was set back',
  );
  observer.loaded({ view: 'items', rows: 0, bytes: 0, seconds: 1, newestEventTime: undefined });
  t.notMatch(await metrics.render(), 'shortlist_feature_newest_event_age_seconds{view="items"}');
});
