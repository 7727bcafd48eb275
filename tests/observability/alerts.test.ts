import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { startServer } from '../../src/http/start-server.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics.js';
import { buildSettings } from '../http/build.js';
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

/** The metrics that a query names; `up` is Prometheus' own. */
function listMetrics(expr: string): string[] {
  return expr.match(/\b(shortlist|nodejs|process)[a-z0-9_:]*\b(?!")/g) ?? [];
}

async function listServed(): Promise<Set<string>> {
  const settings = buildSettings();
  const logger = createLogger({ level: 'silent', writing: 'sync' });
  const metrics = createMetrics({ processMetrics: true });
  const server = await startServer({ service: new MemoryService(), settings, logger, metrics });
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
  await server.stop();
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
    name: name!,
    type: type!,
  }));
  const suffixes = (type: string) => (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']);
  const served = families.flatMap(({ name, type }) => suffixes(type).map((suffix) => name + suffix));
  return new Set([...served, ...rules.flatMap(({ record = [] }) => record)]);
}

const served = await listServed();

t.test('every metric that a rule or a panel names is one that the server has', async (t) => {
  const queries = [
    ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record!, expr })),
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ where: title, expr }))),
  ];
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
