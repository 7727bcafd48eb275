import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { createApiKey } from '../src/config/api-keys.js';
import { loadSettings } from '../src/config/load-settings.js';
import { ShortlistError } from '../src/domain/errors.js';
import { requireAccess } from '../src/http/access/require-access.js';
import { createMetrics } from '../src/observability/metrics/metrics.js';

const folder = 'deploy/kubernetes';

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Record<string, unknown>;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly configMapGenerator?: readonly { readonly literals: readonly string[] }[];
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.yaml'),
);
const kustomizations = files.filter((file) => file.endsWith('kustomization.yaml'));
const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
const resourcesOf = (yaml: string): Resource[] =>
  parseAllDocuments(yaml).map((document) => document.toJS() as Resource);

/** Against the schemas of the Kubernetes API; unknown fields are refused. */
async function findProblem({ apiVersion, kind, ...rest }: Resource): Promise<string | undefined> {
  const module = (await import(`kubernetes-models/${apiVersion}/${kind}`)) as Record<
    string,
    new (data: object) => { validate(): void }
  >;
  try {
    new module[kind]!(rest).validate();
    return undefined;
  } catch (error) {
    return `${kind} ${rest.metadata.name}: ${(error as Error).message}`;
  }
}

t.test('every resource is one of the Kubernetes API', async (t) => {
  const resources = files
    .filter((file) => !kustomizations.includes(file))
    .flatMap((file) => resourcesOf(read(file)));
  t.ok(resources.length >= 10);
  for (const resource of resources) t.equal(await findProblem(resource), undefined, resource.kind);
  const broken = structuredClone(resources.find(({ kind }) => kind === 'PodDisruptionBudget')!);
  t.match(
    await findProblem({ ...broken, spec: { maxUnavailable: [1] } }),
    /maxUnavailable/,
    'negative control',
  );
});

t.test('what a kustomization names is there, and everything there is named', async (t) => {
  const named = kustomizations.flatMap((file) =>
    (parse(read(file)) as Kustomization).resources
      .filter((resource) => resource.endsWith('.yaml'))
      .map((resource) => join(dirname(file), resource)),
  );
  t.same(named.sort(), files.filter((file) => !kustomizations.includes(file)).sort());
});

t.test('environments set variables that the settings know', async (t) => {
  for (const file of kustomizations) {
    const { configMapGenerator = [] } = parse(read(file)) as Kustomization;
    const variables = Object.fromEntries(
      configMapGenerator.flatMap(({ literals }) => literals).map((literal) => literal.split(/=(.*)/s)),
    ) as Record<string, string>;
    const known = read('../../docs/configuration.md');
    const own = Object.keys(variables).filter((name) => !name.startsWith('AWS_'));
    t.same(
      own.filter((name) => name !== 'SHORTLIST_ENV' && !known.includes(`\`${name}\``)),
      [],
      file,
    );
    t.ok(loadSettings({ configsDir: 'configs', env: variables }));
  }
});

t.test(
  'both environments start with a key and not without one, and open nothing but metrics besides',
  async (t) => {
    const variablesOf = (file: string): Record<string, string> => {
      const { configMapGenerator = [] } = parse(read(file)) as Kustomization;
      const literals = configMapGenerator.flatMap((generator) => generator.literals);
      return Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s))) as Record<string, string>;
    };
    for (const environment of ['staging', 'production']) {
      const env = {
        ...variablesOf('base/kustomization.yaml'),
        ...variablesOf(`${environment}/kustomization.yaml`),
      };
      const { entry } = createApiKey('app', ['read']);
      const settings = loadSettings({ configsDir: 'configs', env: { ...env, SHORTLIST_API_KEYS: entry } });
      requireAccess(settings);
      t.match(settings.auth, {
        mode: 'required',
        openRoutes: ['health', 'docs', 'metrics'],
        openListeners: [],
      });
      t.throws(() => requireAccess(loadSettings({ configsDir: 'configs', env })), ShortlistError);
    }
    const [deployment] = resourcesOf(read('base/deployment.yaml'));
    t.match(deployment!.spec['template'], { spec: { enableServiceLinks: false } });
  },
);

t.test('both environments keep events in Redis, and that of staging keeps them on a volume', async (t) => {
  for (const environment of ['staging', 'production']) {
    const { configMapGenerator = [] } = parse(read(`${environment}/kustomization.yaml`)) as Kustomization;
    const literals = configMapGenerator.flatMap((generator) => generator.literals);
    const env = Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s)));
    const { events } = loadSettings({ configsDir: 'configs', env });
    t.match(events, { store: 'redis', durability: 'required' }, environment);
    t.equal(events.enabled, environment === 'staging');
  }
  const deployment = resourcesOf(read('staging/redis.yaml')).find(({ kind }) => kind === 'Deployment')!;
  const { spec } = deployment.spec['template'] as {
    spec: { containers: { args: string[]; volumeMounts: unknown[] }[]; volumes: unknown[] };
  };
  t.match(spec.containers[0]!.args.join(' '), /--appendonly yes .*--maxmemory-policy volatile-/);
  t.match(spec.containers[0]!.volumeMounts, [{ name: 'data', mountPath: '/data' }]);
  t.match(spec.volumes, [{ name: 'data', persistentVolumeClaim: { claimName: 'redis' } }]);
});

t.test('probes, ports and the time to drain are those of the server', async (t) => {
  const [deployment] = resourcesOf(read('base/deployment.yaml'));
  const { spec } = deployment!.spec['template'] as { spec: Record<string, unknown> };
  const { server, shutdown } = loadSettings({
    configsDir: 'configs',
    env: { SHORTLIST_ENV: 'production' },
  });
  const [container] = spec['containers'] as [Record<string, unknown>];
  t.same(container['ports'], [
    { name: 'http', containerPort: server.port },
    { name: 'admin', containerPort: server.adminPort },
  ]);
  const pathOf = (probe: string): unknown => (container[probe] as { httpGet: { path: string } }).httpGet.path;
  t.same(['startupProbe', 'readinessProbe', 'livenessProbe'].map(pathOf), ['/live', '/ready', '/live']);
  const longest = (shutdown.drainDelayMs + shutdown.timeoutMs) / 1000;
  t.ok((spec['terminationGracePeriodSeconds'] as number) > longest);
});

t.test('it scales by a metric that the server has', async (t) => {
  const [autoscaler] = resourcesOf(read('base/autoscaling.yaml'));
  const metrics = autoscaler!.spec['metrics'] as { pods?: { metric: { name: string } } }[];
  const names = metrics.flatMap(({ pods }) => (pods === undefined ? [] : [pods.metric.name]));
  t.equal(names.length, 1);
  t.match(await createMetrics({ processMetrics: false }).render(), `# TYPE ${names[0]} gauge`);
});

const isKustomizeHere = spawnSync('kustomize', ['version']).status === 0;

t.test(
  'kustomize renders both environments into resources of the API',
  { skip: isKustomizeHere ? false : 'kustomize is not installed' },
  async (t) => {
    for (const environment of ['staging', 'production']) {
      const { status, stdout } = spawnSync('kustomize', ['build', join(folder, environment)], {
        encoding: 'utf8',
      });
      t.equal(status, 0);
      const resources = resourcesOf(stdout);
      for (const resource of resources) t.equal(await findProblem(resource), undefined, resource.kind);
      const namespaces = resources
        .filter(({ kind }) => kind !== 'Namespace')
        .map(({ metadata }) => metadata.namespace);
      t.same([...new Set(namespaces)], [`shortlist-${environment}`]);
    }
  },
);
