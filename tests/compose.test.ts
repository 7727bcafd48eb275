import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { loadSettings } from '../src/config/load-settings.js';
import { requireAccess } from '../src/http/access/require-access.js';

const file = 'deploy/compose/docker-compose.yml';
const folder = dirname(file);

interface Service {
  readonly build?: string;
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly command?: readonly string[];
  readonly depends_on?: readonly string[];
}

const { services, volumes: named } = parse(readFileSync(file, 'utf8')) as {
  services: Readonly<Record<string, Service>>;
  volumes: Readonly<Record<string, unknown>>;
};

t.test('what is mounted and built is there, and what is depended on is a service', async (t) => {
  for (const [name, { build, volumes = [], depends_on: others = [] }] of Object.entries(services)) {
    const paths = [
      ...volumes.map((volume) => volume.split(':')[0]!).filter((volume) => !(volume in named)),
      ...(build === undefined ? [] : [build]),
    ];
    // A registry that nothing was published to is made by `make run`.
    const missing = paths.filter((path) => !path.endsWith('/models') && !existsSync(join(folder, path)));
    t.same(missing, [], name);
    t.same(
      others.filter((other) => !(other in services)),
      [],
      name,
    );
  }
});

t.test('its Redis keeps events as the server asks of it', async (t) => {
  const { environment = {} } = services['shortlist']!;
  const { events } = loadSettings({ configsDir: 'configs', env: environment });
  t.match(events, { enabled: true, store: 'redis', durability: 'required' });
  const { command = [], volumes = [] } = services['redis']!;
  t.match(command.join(' '), /--appendonly yes .*--maxmemory-policy volatile-/);
  t.match(volumes.join(), /:\/data$/, 'and its file is on a volume');
});

t.test('the server is told what its settings know, and Prometheus scrapes its admin port', async (t) => {
  const { environment = {} } = services['shortlist']!;
  const settings = loadSettings({ configsDir: 'configs', env: environment });
  requireAccess(settings);
  const { server, redis } = settings;
  t.match(redis.url, /^redis:\/\/redis:/);
  const { scrape_configs: scraped } = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
  };
  t.match(scraped, [
    { job_name: 'shortlist', static_configs: [{ targets: [`shortlist:${server.adminPort}`] }] },
  ]);
});
