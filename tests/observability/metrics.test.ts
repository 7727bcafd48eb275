import t from 'tap';
import { createMetrics, mergeMetrics } from '../../src/observability/metrics/metrics.js';
import type { RecommendationSample } from '../../src/observability/metrics/recommendation-metrics.js';

const SAMPLE: RecommendationSample = {
  release: 'stable',
  scenario: 'home',
  strategy: 'personalised',
  limit: 10,
  itemCount: 10,
  candidateCount: 250,
  degraded: [],
  stages: [{ stage: 'candidates', milliseconds: 2, outcome: 'ok' }],
};

t.test('a request counts with its time whatever its status', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  for (const status of [200, 400, 500]) {
    metrics.http.observeRequest({ route: '/popular', method: 'GET', status, seconds: 0.004 });
  }
  const text = await metrics.render();
  for (const status of [200, 400, 500]) {
    const labels = `route="/popular",method="GET",status="${status}"`;
    t.match(text, `shortlist_http_request_duration_seconds_bucket{le="0.005",${labels}} 1`);
    t.match(text, `shortlist_http_request_duration_seconds_count{${labels}} 1`);
  }
});

t.test('slates count by strategy and by whether they are full, short or empty', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recommendations.observeRecommendation(SAMPLE);
  metrics.recommendations.observeRecommendation({ ...SAMPLE, itemCount: 3, strategy: 'cold-start' });
  metrics.recommendations.observeRecommendation({ ...SAMPLE, itemCount: 0 });
  const text = await metrics.render();
  t.match(
    text,
    'shortlist_slates_total{scenario="home",strategy="personalised",size="full",release="stable"} 1',
  );
  t.match(
    text,
    'shortlist_slates_total{scenario="home",strategy="cold-start",size="short",release="stable"} 1',
  );
  t.match(
    text,
    'shortlist_slates_total{scenario="home",strategy="personalised",size="empty",release="stable"} 1',
  );
  t.match(text, 'shortlist_candidates_sum{scenario="home",release="stable"} 750');
});

t.test('stages are timed in seconds, fallbacks counted by reason', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.recommendations.observeRecommendation({
    ...SAMPLE,
    degraded: [{ stage: 'ranking', reason: 'ranker_failed' }],
    stages: [{ stage: 'ranking', milliseconds: 2, outcome: 'fallback' }],
  });
  const text = await metrics.render();
  t.match(
    text,
    'shortlist_stage_duration_seconds_sum{stage="ranking",outcome="fallback",release="stable"} 0.002',
  );
  t.match(text, 'shortlist_degraded_total{stage="ranking",reason="ranker_failed",release="stable"} 1');
});

t.test('the bundle gauges follow the bundle in service', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const bundle = { version: 'v1', dataset: 'demo', createdAt: '2024-01-01T00:00:00Z', items: 3, users: 2 };
  metrics.bundle.showBundle(bundle);
  metrics.bundle.showBundle({ ...bundle, version: 'v2' });
  t.match(
    await metrics.render(),
    'shortlist_bundle_info{version="v2",dataset="demo",created_at="2024-01-01T00:00:00Z",release="stable"} 1',
  );
  t.match(await metrics.render(), 'shortlist_bundle_entities{kind="item"} 3');
  t.notMatch(await metrics.render(), 'v1', 'the bundle before is gone');
  metrics.bundle.showBundle(undefined);
  t.notMatch(await metrics.render(), 'v2');
});

t.test('reloads count by outcome', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.bundle.countReload('swapped');
  metrics.bundle.countReload('refused');
  t.match(await metrics.render(), 'shortlist_bundle_reloads_total{outcome="refused"} 1');
});

t.test('there are histograms and no summaries, and process metrics when asked for', async (t) => {
  const metrics = createMetrics({ processMetrics: true });
  const text = await metrics.render();
  const ours = text.split('\n').filter((line) => line.startsWith('# TYPE shortlist_'));
  t.equal(ours.length, 77);
  t.notMatch(ours.join('\n'), 'summary');
  t.match(text, 'nodejs_eventloop_lag_seconds');
  t.match(metrics.contentType, 'text/plain');
});

t.test('batches show how the computing threads are doing', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.compute.observeBatch({ requests: 3, waiting: 5, depth: 0.5 });
  metrics.compute.observeBatchTimes({ waiting: 0, handedOver: 0.2, computing: 3, handedBack: 0.3 });
  metrics.compute.countLostThread();
  const text = await metrics.render();
  t.match(text, 'shortlist_batch_requests_bucket{le="4"} 1');
  t.match(text, 'shortlist_batch_requests_bucket{le="2"} 0');
  t.match(text, 'shortlist_batch_duration_seconds_bucket{le="0.0025",part="computing"} 0');
  t.match(text, 'shortlist_batch_duration_seconds_sum{part="computing"} 0.003');
  t.match(text, 'shortlist_waiting_requests 5');
  t.match(text, 'shortlist_ranking_depth 0.5');
  t.match(text, 'shortlist_lost_threads_total 1');
});

t.test('threads, quarantine, processes, clients and lines that are lost are counted', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.compute.changeThreads({ living: 0, wanted: 2 });
  metrics.compute.changeThreads({ living: 1, wanted: 0 });
  metrics.compute.changeThreads({ living: 1, wanted: 0 });
  metrics.compute.changeThreads({ living: -1, wanted: 0 });
  metrics.compute.showQuarantined(3);
  metrics.compute.countQuarantined(2);
  metrics.processes.countSilentProcess();
  metrics.http.countSlowClient('stalled');
  metrics.telemetry.countDroppedLine();
  const text = await metrics.render();
  for (const line of [
    'shortlist_threads{state="living"} 1',
    'shortlist_threads{state="wanted"} 2',
    'shortlist_quarantined_keys 3',
    'shortlist_quarantines_total 2',
    'shortlist_silent_processes_total 1',
    'shortlist_slow_clients_total{reason="stalled"} 1',
    'shortlist_log_lines_dropped_total 1',
  ]) {
    t.match(text, line);
  }
});

t.test('a feature view shows its newest load, and slow loads count', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const load = { view: 'items', rows: 10, bytes: 2000, seconds: 0.5, megabytesPerSecond: 0.004, slow: false };
  metrics.features.observeFeatureLoad(load);
  t.match(await metrics.render(), 'shortlist_feature_slow_loads_total{view="items"} 0');
  metrics.features.observeFeatureLoad({ ...load, rows: 20, slow: true });
  const text = await metrics.render();
  t.match(text, 'shortlist_feature_rows{view="items"} 20');
  t.match(text, 'shortlist_feature_bytes{view="items"} 2000');
  t.match(text, 'shortlist_feature_load_seconds{view="items"} 0.5');
  t.match(text, 'shortlist_feature_load_megabytes_per_second{view="items"} 0.004');
  t.match(text, 'shortlist_feature_slow_loads_total{view="items"} 1');
});

t.test('values that requests read count by where they came from', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.features.countFeatureValues('users', 'present', 5);
  metrics.features.countFeatureValues('users', 'present', 1);
  metrics.features.countFeatureValues('users', 'defaulted', 2);
  metrics.features.countFeatureValues('users', 'unknown_entity', 7);
  const text = await metrics.render();
  t.match(text, 'shortlist_feature_values_total{view="users",status="present"} 6');
  t.match(text, 'shortlist_feature_values_total{view="users",status="defaulted"} 2');
  t.match(text, 'shortlist_feature_values_total{view="users",status="unknown_entity"} 7');
});

t.test('an online feature store shows what it gave and whether it is asked', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.features.countFeatureValues('users', 'stale', 3);
  metrics.features.countRefusedRow('users', 'corrupt');
  metrics.features.showFeatureStore('users', true);
  t.match(await metrics.render(), 'shortlist_feature_store_up{view="users"} 1');
  metrics.features.showFeatureGeneration('users', true);
  metrics.features.showFeatureStore('users', false);
  const text = await metrics.render();
  t.match(text, 'shortlist_feature_generation_up{view="users"} 1');
  t.match(text, 'shortlist_feature_store_up{view="users"} 0');
  t.match(text, 'shortlist_feature_values_total{view="users",status="stale"} 3');
  t.match(text, 'shortlist_feature_rows_refused_total{view="users",reason="corrupt"} 1');
});

t.test('the store of rate limits shows whether it is asked, and nothing where there is none', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  t.notMatch(await metrics.render(), 'shortlist_rate_limit_store_up{');
  metrics.http.showRateLimitStore(false);
  t.match(await metrics.render(), 'shortlist_rate_limit_store_up{store="redis"} 0');
});

t.test('drift is that of the last window, and the errors of requests count by code', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  metrics.drift.showDrift([]);
  metrics.drift.showDrift([{ kind: 'score', name: 'ranking', psi: 0.25 }]);
  metrics.http.countProblem('OVERLOADED');
  const text = await metrics.render();
  t.match(text, 'shortlist_drift_psi{kind="score",name="ranking"} 0.25');
  t.match(text, 'shortlist_drift_windows_total 1');
  t.match(text, 'shortlist_problems_total{code="OVERLOADED"} 1');
  metrics.drift.showDrift([]);
  t.notMatch(await metrics.render(), 'shortlist_drift_psi{');
});

t.test('the age of the model can be told, and that of none cannot', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const bundle = { version: 'v1', dataset: 'demo', createdAt: '2024-01-01T00:00:00Z', items: 3, users: 2 };
  metrics.bundle.showBundle(bundle);
  t.match(
    await metrics.render(),
    `shortlist_bundle_created_timestamp_seconds ${Date.parse(bundle.createdAt) / 1000}`,
  );
  metrics.bundle.showBundle(undefined);
  t.notMatch(await metrics.render(), /^shortlist_bundle_created_timestamp_seconds \d/m);
});

t.test('the metrics of several processes stand beside each other under their labels', async (t) => {
  const processes = ['1', '2'].map((process) =>
    createMetrics({ processMetrics: false, labels: { process } }),
  );
  processes[0]!.bundle.countReload('swapped');
  processes[1]!.bundle.countReload('swapped');
  processes[1]!.bundle.countReload('swapped');
  const text = await mergeMetrics(await Promise.all(processes.map((metrics) => metrics.snapshot())));
  t.match(text, 'shortlist_bundle_reloads_total{outcome="swapped",process="1"} 1');
  t.match(text, 'shortlist_bundle_reloads_total{outcome="swapped",process="2"} 2');
  t.equal(text.match(/# TYPE shortlist_bundle_reloads_total/g)?.length, 1);
});
