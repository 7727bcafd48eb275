import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import type { ErrorCode } from '../../src/domain/errors.js';
import { VALUE_STATUS } from '../../src/features/feature-store.js';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics, type Metrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from '../http/build.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from '../http/memory-service.js';

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { severity: string };
  readonly annotations?: { summary: string; runbook: string };
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const { groups } = parse(readFileSync('deploy/observability/alerts.yaml', 'utf8')) as {
  groups: { rules: Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const { panels } = JSON.parse(readFileSync('deploy/observability/dashboard.json', 'utf8')) as {
  panels: Panel[];
};

/** Shows everything that metrics can show, as the server does when it happens. */
function showAll(metrics: Metrics): void {
  metrics.http.observeRequest({ route: '/recommendations/:userId', method: 'GET', status: 200, seconds: 1 });
  for (const release of ['stable', 'canary', 'shadow'] as const) {
    metrics.recommendations.observeRecommendation({
      release,
      scenario: 'home',
      strategy: 'personalised',
      limit: 10,
      itemCount: release === 'stable' ? 10 : 0,
      seconds: 1,
      candidateCount: 1,
      degraded: [{ stage: 'ranking', reason: 'ranker_invalid_output' }],
      stages: [{ stage: 'ranking', milliseconds: 1, outcome: 'completed' }],
    });
  }
  const bundle = { version: '1', dataset: 'demo', createdAt: '2026-01-02T03:04:05Z' };
  metrics.bundle.showBundle({
    ...bundle,
    items: 1,
    users: 1,
    trials: [
      { release: 'canary', bundle },
      { release: 'shadow', bundle },
    ],
  });
  metrics.features.observeFeatureLoad({
    ...{ view: 'users', rows: 1, bytes: 1, seconds: 1, megabytesPerSecond: 1, slow: false },
    newestEventAgeSeconds: () => 1,
  });
  metrics.compute.changeThreads({ living: 1, wanted: 1 });
  metrics.compute.countQuarantined(1);
  metrics.compute.showQuarantined(1);
  metrics.bundle.countReload('refused');
  metrics.bundle.countReload('swapped');
  metrics.bundle.showRegistry(true);
  metrics.bundle.showChannelBehind('production', false);
  for (const release of ['canary', 'shadow'] as const) {
    metrics.releases.showExperiment(release, true);
    for (const outcome of ['answered', 'failed', 'dropped'] as const)
      metrics.releases.countExperimentRequest(release, outcome);
  }
  for (const status of Object.keys(VALUE_STATUS))
    metrics.features.countFeatureValues('users', status.toLowerCase(), 1);
  metrics.features.countRefusedRow('users', 'corrupt');
  metrics.features.showFeatureStore('users', true);
  metrics.features.showFeatureGeneration('users', true);
  metrics.features.showNewestEvent('users', 1);
  metrics.features.countPushedRows('users', 'written', 1);
  metrics.http.showRateLimitStore(true);
  for (const layer of ['memory', 'redis'])
    for (const outcome of ['hit', 'miss'] as const) metrics.cache.countSlateLookup(layer, outcome);
  metrics.cache.countSlateNotKept('degraded');
  metrics.cache.countRefusedSlate('corrupt');
  metrics.cache.showSlateStore(true);
  for (const outcome of ['written', 'dropped'] as const) {
    metrics.logs.countImpressions(outcome, 1);
    metrics.logs.countLoggedFeatures(outcome, 1);
  }
  metrics.logs.showImpressionLog(true);
  metrics.logs.showFeatureLog(true);
  metrics.dependencies.countDependencyRetry('bundle');
  metrics.dependencies.observeDependencyRead({ source: 'bundle', bytes: 1, rows: 1, seconds: 1 });
  metrics.dependencies.countDependencyExcess('source_slow', 'bundle');
  metrics.dependencies.countDependencyExcess('source_large', 'bundle');
  metrics.events.showEventStore({
    ...{ rows: 1, uncompactedRows: 1, bytes: 1, oldestUncompactedSeconds: 1 },
    streams: [1],
  });
  metrics.events.showEventDurability(false);
  metrics.events.showEventStoreUp('local', false);
  for (const outcome of ['accepted', 'duplicate', 'refused', 'unavailable'] as const)
    metrics.events.countEvents('click', outcome, 1);
  metrics.overrides.showOverridesUp(true);
  metrics.forgetting.showForgottenListUp(true);
  metrics.forgetting.showForgottenUsers(1);
  metrics.forgetting.countForgetting('done');
  metrics.telemetry.countSpans('sent', 1);
  metrics.telemetry.countSpans('failed', 1);
  metrics.drift.showDrift(
    (['score', 'feature', 'source'] as const).map((kind) => ({ kind, name: 'ranking', psi: 0 })),
  );
  const overloaded: ErrorCode = 'OVERLOADED';
  metrics.http.countProblem(overloaded);
}

/** The metrics that a query names; `up` is Prometheus' own. */
function listMetrics(expr: string): string[] {
  return expr.match(/\b(shortlist|nodejs|process)[a-z0-9_:]*\b(?!")/g) ?? [];
}

/** What a query asks of labels: `name{label="value"}`, and those it groups by. */
function listLabels(expr: string): { matched: Matched[]; grouped: string[] } {
  const selectors = [...expr.matchAll(/\b((?:shortlist|nodejs|process)[a-z0-9_:]*)\{([^}]*)\}/g)];
  const matched = selectors.flatMap(([, metric, text]) =>
    [...text!.matchAll(/(\w+)(=~|!=|=)"([^"]*)"/g)].map(([, label, operator, value]) => ({
      metric: metric!,
      label: label!,
      values: operator === '=~' ? value!.split('|') : [value!],
    })),
  );
  const groups = [...expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)];
  return { matched, grouped: groups.flatMap(([, labels]) => labels!.split(', ')) };
}

interface Matched {
  readonly metric: string;
  readonly label: string;
  readonly values: readonly string[];
}

/** What Prometheus adds to what it scrapes. */
const SCRAPED = ['job', 'instance'];

/** Of a running server to which everything has happened once: the values of the labels of each metric. */
async function scrapeServed(): Promise<Map<string, Map<string, Set<string>>>> {
  const settings = buildSettings();
  const logger = createLogger({ level: 'silent', writing: 'sync' });
  const metrics = createMetrics({ processMetrics: true });
  showAll(metrics);
  const server = await startServer(createServerParts(new MemoryService(), { settings, logger, metrics }));
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  await server.stop();
  const found = new Map<string, Map<string, Set<string>>>();
  for (const [, name, labels = ''] of text.matchAll(/^([a-z][a-z0-9_]*)(?:\{([^}]*)\})? /gm)) {
    const known = found.get(name!) ?? new Map<string, Set<string>>();
    found.set(name!, known);
    for (const [, label, value] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      known.set(label!, (known.get(label!) ?? new Set()).add(value!));
    }
  }
  return found;
}

const scraped = await scrapeServed();
const served = new Set([...scraped.keys(), ...rules.flatMap(({ record = [] }) => record)]);
const queries = [
  ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record!, expr })),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
];

t.test('every metric that a rule or a panel names is one that the server has', async (t) => {
  t.ok(queries.length > 40);
  for (const { where, expr } of queries) {
    const names = listMetrics(expr).filter((name) => name !== 'shortlist');
    t.ok(names.length > 0 || expr.startsWith('up{'), where);
    t.same(
      names.filter((name) => !served.has(name)),
      [],
      where,
    );
  }
  t.same(
    listMetrics('rate(shortlist_nothing_total[5m])').filter((name) => !served.has(name)).length,
    1,
    'a control',
  );
});

/** The labels that a query names and none of its metrics has, and values that no server gives. */
function findStrangeLabels(expr: string): string[] {
  const { matched, grouped } = listLabels(expr);
  const strange = matched.filter(({ metric, label, values }) => {
    if (SCRAPED.includes(label) || metric.includes(':')) return false;
    const known = scraped.get(metric)?.get(label);
    // Routes and status codes are any number.
    const isOpen = ['route', 'status'].includes(label) && metric.startsWith('shortlist_http');
    return known === undefined || (!isOpen && !values.every((value) => known.has(value)));
  });
  const labels = new Set(listMetrics(expr).flatMap((metric) => [...(scraped.get(metric)?.keys() ?? [])]));
  return [
    ...strange.map(({ metric, label, values }) => `${metric}{${label}="${values.join('|')}"}`),
    ...grouped.filter((label) => !SCRAPED.includes(label) && !labels.has(label)),
  ];
}

t.test(
  'every label that a rule or a panel names is one that the server gives, with its values',
  async (t) => {
    for (const { where, expr } of queries) t.same(findStrangeLabels(expr), [], where);
    t.same(
      findStrangeLabels('sum by (job, view) (shortlist_bundle_reloads_total{outcome="broken",how="x"})'),
      ['shortlist_bundle_reloads_total{outcome="broken"}', 'shortlist_bundle_reloads_total{how="x"}', 'view'],
      'a control',
    );
  },
);

t.test('a summary names labels that its alert has', async (t) => {
  for (const { alert, expr, annotations } of alerts) {
    const named = [...annotations!.summary.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
    const { grouped } = listLabels(expr);
    const kept = new Set([...SCRAPED, ...grouped]);
    const isGrouped = /\b(sum|count) by/.test(expr);
    for (const metric of isGrouped ? [] : listMetrics(expr))
      for (const label of scraped.get(metric)?.keys() ?? []) kept.add(label);
    t.same(
      named.filter((label) => !kept.has(label)),
      [],
      alert!,
    );
    if (isGrouped && named.includes('instance')) t.match(expr, /by \([^)]*instance/, alert!);
  }
});

t.test('every alert has a section in the runbook, and the runbook has no other', async (t) => {
  const page = readFileSync('docs/runbook.md', 'utf8');
  const anchors = new Set([...page.matchAll(/^## (.+)$/gm)].map(([, name]) => name!.toLowerCase()));
  for (const { alert, annotations, labels } of alerts) {
    t.equal(annotations!.runbook, `docs/runbook.md#${alert!.toLowerCase()}`);
    t.ok(anchors.has(alert!.toLowerCase()), alert!);
    t.match(annotations!.summary, /^[A-Z{].*\.$|\}\}\.?$/);
    t.match(labels!.severity, /^(critical|warning|info)$/);
  }
  const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, name]) => name);
  t.same(
    sections,
    alerts.map(({ alert }) => alert),
  );
  t.equal(page.match(/- \*\*Look\*\*: /g)!.length, sections.length);
  t.equal(page.match(/- \*\*Do\*\*: /g)!.length, sections.length);
});

t.test('panels have a place and a name of their own', async (t) => {
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
});
