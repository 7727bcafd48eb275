import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { explainSettings, findEnvironment, loadSettings } from '../../src/config/load-settings.js';
import { ENVIRONMENTS } from '../../src/config/settings.js';
import { ShortlistError } from '../../src/domain/errors.js';

/** A configs folder with the shipped default.yaml and the environment files given. */
function buildConfigs(t: Test, files: Record<string, string> = {}): string {
  const dir = t.testdir({ 'development.yaml': '', 'staging.yaml': '', 'production.yaml': '' });
  copyFileSync('configs/default.yaml', join(dir, 'default.yaml'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

function problemsOf(sources: Parameters<typeof loadSettings>[0]): readonly string[] {
  try {
    loadSettings(sources);
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'INVALID_CONFIG') return error.problems;
    throw error;
  }
  return [];
}

t.test('the shipped files load in every environment', async (t) => {
  for (const environment of ENVIRONMENTS) {
    const settings = loadSettings({ configsDir: 'configs', env: { SHORTLIST_ENV: environment } });
    t.equal(settings.bundle.channel, environment === 'development' ? 'candidate' : environment);
    t.equal(settings.server.adminHost, '127.0.0.1', 'the admin listener stays on loopback');
    const isReachable = settings.server.host !== '127.0.0.1';
    t.equal(settings.auth.mode, isReachable ? 'required' : 'none', 'what others can reach asks who they are');
  }
});

t.test('development is the default: loopback, no drain delay', async (t) => {
  const settings = loadSettings({ configsDir: 'configs', env: {} });
  t.equal(settings.server.host, '127.0.0.1');
  t.equal(settings.shutdown.drainDelayMs, 0);
  t.equal(findEnvironment({}), 'development');
  t.equal(findEnvironment({ SHORTLIST_ENV: 'staging' }), 'staging');
});

t.test('variables go over the environment file, which goes over the default file', async (t) => {
  const configsDir = buildConfigs(t, { 'staging.yaml': 'server: { port: 8080, adminPort: 8081 }' });
  const { server } = loadSettings({ configsDir, env: { SHORTLIST_ENV: 'staging', ADMIN_PORT: '0' } });
  t.match(server, { port: 8080, adminPort: 0, host: '127.0.0.1' });
});

t.test('a mapping within a group is put together, too', async (t) => {
  const configsDir = buildConfigs(t, { 'staging.yaml': 'events: { history: { days: 7 }, syncMs: 5 }' });
  const env = { SHORTLIST_ENV: 'staging', SHORTLIST_EVENTS: 'true' };
  const shipped = loadSettings({ configsDir, env: {} }).events;
  t.strictSame(loadSettings({ configsDir, env }).events, {
    ...shipped,
    enabled: true,
    syncMs: 5,
    history: { ...shipped.history, days: 7 },
  });
  const days = explainSettings({ configsDir, env }).find(({ key }) => key === 'history.days');
  t.match(days, { group: 'events', value: 7, origin: join(configsDir, 'staging.yaml') });
  const wrong = buildConfigs(t, { 'staging.yaml': 'events: { history: { days: 0, weeks: 1 } }' });
  t.strictSame(problemsOf({ configsDir: wrong, env }), [
    `${join(wrong, 'staging.yaml')}: events.history.days is 0, allowed is an integer from 1 to 3650`,
    `${join(wrong, 'staging.yaml')}: events.history.weeks is unknown; known are maxItems, days`,
  ]);
});

t.test('every variable reaches its setting', async (t) => {
  const settings = loadSettings({
    configsDir: buildConfigs(t),
    env: {
      PORT: '0',
      HOST: '0.0.0.0',
      ADMIN_PORT: '65535',
      ADMIN_HOST: '::1',
      TRUST_PROXY: '10.0.0.0/8, 127.0.0.1',
      LOG_LEVEL: 'debug',
      SHORTLIST_REGISTRY: '/srv/models',
      SHORTLIST_CHANNEL: 'canary',
      SHORTLIST_DRAIN_DELAY_MS: '250',
      SHORTLIST_ONLINE_FEATURES: 'false',
      REDIS_URL: 'rediss://user:secret@redis.internal:6380/2',
      SHORTLIST_AUTH: 'required',
      SHORTLIST_API_KEYS: `app:read:${'a'.repeat(64)}, ops:read+write+admin:${'b'.repeat(64)}`,
      SHORTLIST_API_KEYS_FILE: '/run/secrets/keys',
      SHORTLIST_JWT_JWKS_URL: 'https://id.example/keys',
      SHORTLIST_JWT_ISSUER: 'https://id.example/',
      SHORTLIST_JWT_AUDIENCE: 'shortlist',
      SHORTLIST_JWT_BIND_SUBJECT: 'false',
      SHORTLIST_RATE_LIMIT: '600',
      SHORTLIST_RATE_LIMIT_STORE: 'redis',
      SHORTLIST_CORS_ORIGINS: 'https://shop.example,http://localhost:5173',
    },
  });
  t.match(settings, {
    server: {
      port: 0,
      host: '0.0.0.0',
      adminPort: 65535,
      adminHost: '::1',
      trustProxy: ['10.0.0.0/8', '127.0.0.1'],
    },
    logging: { level: 'debug' },
    bundle: { registry: '/srv/models', channel: 'canary' },
    shutdown: { drainDelayMs: 250 },
    features: { online: false },
    redis: { url: 'rediss://user:secret@redis.internal:6380/2' },
    auth: {
      mode: 'required',
      apiKeys: [`app:read:${'a'.repeat(64)}`, `ops:read+write+admin:${'b'.repeat(64)}`],
      apiKeysFile: '/run/secrets/keys',
    },
    jwt: {
      jwksUrl: 'https://id.example/keys',
      issuer: 'https://id.example/',
      audience: 'shortlist',
      bindSubject: false,
    },
    rateLimit: { requests: 600, store: 'redis' },
    cors: { origins: ['https://shop.example', 'http://localhost:5173'] },
  });
});

t.test('an empty variable counts as not set, and variables of others are left alone', async (t) => {
  const env = { PORT: '', SHORTLIST_ENV: '', SHORTLIST_SERVICE_HOST: '10.0.0.1', PATH: '/bin' };
  t.equal(loadSettings({ configsDir: buildConfigs(t), env }).server.port, 3000);
});

t.test(
  'every problem of every layer is listed at once, with file, key, value and what is allowed',
  async (t) => {
    const configsDir = buildConfigs(t, {
      'production.yaml':
        'server: { port: http, prot: 80 }\nextra: 1\nlogging: { level: loud, requestSampleRate: 2 }\n',
    });
    const env = { SHORTLIST_ENV: 'production', ADMIN_PORT: '99999', SHORTLIST_DRAIN_DELAY_MS: '1.5' };
    const file = join(configsDir, 'production.yaml');
    t.strictSame(problemsOf({ configsDir, env }), [
      `${file}: server.port is "http", allowed is an integer from 0 to 65535`,
      `${file}: server.prot is unknown; known are host, port, adminHost, adminPort, headersTimeoutMs, requestTimeoutMs, timeoutCheckIntervalMs, keepAliveTimeoutMs, stallTimeoutMs, maxHeaderBytes, maxHeaderCount, maxUrlLength, maxPipelined, maxHeldRequests, maxBodyBytes, allowedHosts, trustProxy`,
      `${file}: extra is unknown; known are server, shutdown, logging, bundle, compute, supervisor, features, redis, cache, events, forgotten, overrides, impressions, featureLog, sources, tracing, drift, docs, explorer, auth, jwt, rateLimit, cors, vectorEngine, canary, shadow`,
      `${file}: logging.level is "loud", allowed is one of fatal, error, warn, info, debug, trace, silent`,
      `${file}: logging.requestSampleRate is 2, allowed is a number from 0 to 1`,
      'ADMIN_PORT: server.adminPort is 99999, allowed is an integer from 0 to 65535',
      'SHORTLIST_DRAIN_DELAY_MS: shutdown.drainDelayMs is "1.5", allowed is an integer from 0 to 300000',
    ]);
  },
);

t.test('an unknown environment is named with the known ones, beside the other problems', async (t) => {
  const env = { SHORTLIST_ENV: 'prod', PORT: 'http' };
  t.strictSame(problemsOf({ configsDir: buildConfigs(t), env }), [
    'SHORTLIST_ENV: is "prod", allowed is one of development, staging, production',
    'PORT: server.port is "http", allowed is an integer from 0 to 65535',
  ]);
});

t.test('a key that no layer gives is missing, with what it may be', async (t) => {
  const configsDir = buildConfigs(t, { 'default.yaml': 'docs: { enabled: true }' });
  const problems = problemsOf({ configsDir, env: {} });
  t.ok(problems.includes('default + development: server is missing, allowed is a mapping of keys to values'));
});

t.test('files that are missing, not YAML, not a mapping or say a key twice stop the start', async (t) => {
  const configsDir = buildConfigs(t, { 'default.yaml': '- a\n', 'staging.yaml': 'docs:\n  a: 1\n  a: 2\n' });
  t.match(problemsOf({ configsDir, env: {} }), [/default\.yaml: the top level must be a mapping/]);
  t.match(problemsOf({ configsDir, env: { SHORTLIST_ENV: 'staging' } }), [
    /default\.yaml: the top level/,
    /staging\.yaml: Map keys must be unique at line 3/,
  ]);
  t.match(problemsOf({ configsDir: join(configsDir, 'nowhere'), env: {} }), [
    /default\.yaml: cannot be read: ENOENT/,
    /development\.yaml: cannot be read: ENOENT/,
  ]);
});

t.test('a group that is no mapping is refused, and nothing reaches Object.prototype', async (t) => {
  const configsDir = buildConfigs(t, { 'development.yaml': 'docs: 5\n__proto__: { polluted: true }\n' });
  t.match(problemsOf({ configsDir, env: {} }), [
    /docs is 5, allowed is a mapping of keys to values/,
    /__proto__ is unknown/,
  ]);
  t.equal(({} as Record<string, unknown>)['polluted'], undefined);
});

t.test('a list names the entry that is wrong', async (t) => {
  const configsDir = buildConfigs(t, { 'development.yaml': 'server: { trustProxy: [10.0.0.1, 7] }' });
  t.match(problemsOf({ configsDir, env: {} }), [
    /server\.trustProxy\.1 is 7, allowed is an IP address or CIDR range/,
  ]);
});

t.test('limits that contradict each other are refused', async (t) => {
  const configsDir = buildConfigs(t, {
    'development.yaml':
      'server: { maxHeaderBytes: 4096, maxUrlLength: 4096, headersTimeoutMs: 500, requestTimeoutMs: 400 }',
  });
  t.strictSame(problemsOf({ configsDir, env: {} }), [
    'server.maxUrlLength is 4096, allowed is less than server.maxHeaderBytes (4096)',
    'server.headersTimeoutMs is 500, allowed is at most server.requestTimeoutMs (400)',
  ]);
});

t.test('no problem shows the address of Redis, which may hold a password', async (t) => {
  const configsDir = buildConfigs(t);
  t.match(problemsOf({ configsDir, env: { REDIS_URL: 'http://:hunter2@redis' } }), [
    /^REDIS_URL: redis\.url is not what it must be \(its value is a secret\), allowed is `redis:/,
  ]);
  t.strictSame(problemsOf({ configsDir, env: { REDIS_URL: 'redis://:hunter2@redis:99999' } }), [
    'redis.url has a part that is not host:port (its value is a secret)',
  ]);
});

t.test('a key in the place of its hash is refused, and not shown', async (t) => {
  const env = { SHORTLIST_API_KEYS: `app:read:${'a'.repeat(64)},sl_hunter2` };
  const problems = problemsOf({ configsDir: buildConfigs(t), env });
  t.match(problems, [
    /^SHORTLIST_API_KEYS: auth\.apiKeys\.1 is not what it must be .*, allowed is `name:scopes:hash`/,
  ]);
  t.notMatch(problems.join(), 'hunter2');
});

t.test('tokens need an issuer and an audience, and keys that are used while they are fresh', async (t) => {
  const configsDir = buildConfigs(t, {
    'development.yaml': 'jwt: { jwksUrl: https://id.example/keys, refreshSeconds: 61, maxKeyAgeSeconds: 60 }',
  });
  t.match(problemsOf({ configsDir, env: {} }), [
    /^jwt\.issuer is "", allowed is text that is not empty/,
    /^jwt\.audience is ""/,
    /^jwt\.refreshSeconds is 61, allowed is at most jwt\.maxKeyAgeSeconds \(60\)$/,
  ]);
  const env = { SHORTLIST_JWT_ISSUER: 'i', SHORTLIST_JWT_AUDIENCE: 'a' };
  t.equal(problemsOf({ configsDir, env }).length, 1);
});

t.test('algorithms with a shared secret, and origins with a path, are refused', async (t) => {
  const configsDir = buildConfigs(t, {
    'development.yaml': 'jwt: { algorithms: [HS256] }\ncors: { origins: ["https://shop.example/"] }',
  });
  t.match(problemsOf({ configsDir, env: {} }), [
    /jwt\.algorithms\.0 is "HS256", allowed is one of RS256/,
    /cors\.origins\.0 is "https:\/\/shop\.example\/", allowed is an origin/,
  ]);
});

/** What each of these variables is named with, where it is unknown. */
const UNKNOWN: readonly [string, string][] = [
  ['SHORTLIST_AUTHMODE', 'SHORTLIST_AUTH (auth.mode)'],
  ['SHORTLIST_AUTH_MODE', 'SHORTLIST_AUTH (auth.mode)'],
  ['shortlist_auth', 'SHORTLIST_AUTH (auth.mode)'],
  ['SHORTLIST-AUTH', 'SHORTLIST_AUTH (auth.mode)'],
  ['SHORTLIST_APIKEYS', 'SHORTLIST_API_KEYS (auth.apiKeys)'],
  ['SHORTLIST_API_KEY_FILE', 'SHORTLIST_API_KEYS_FILE (auth.apiKeysFile)'],
  ['SHORTLIST_JWKS_URL', 'SHORTLIST_JWT_JWKS_URL (jwt.jwksUrl)'],
  ['SHORTLIST_JWT_AUDIENCES', 'SHORTLIST_JWT_AUDIENCE (jwt.audience)'],
  ['SHORTLIST_JWT_ALGORITHMS', 'jwt.algorithms, which has no variable'],
  ['SHORTLIST_RATELIMITS', 'SHORTLIST_RATE_LIMIT (rateLimit.requests)'],
  ['SHORTLIST_CORS_ORIGIN', 'SHORTLIST_CORS_ORIGINS (cors.origins)'],
  ['SHORTLIST_TRUST_PROXY', 'TRUST_PROXY (server.trustProxy)'],
  ['SHORTLIST_HOST', 'HOST (server.host)'],
  ['SHORTLIST_PORT', 'PORT (server.port)'],
  ['SHORTLIST_ENVIRONMENT', 'SHORTLIST_ENV'],
  ['SHORTLIST_CHANEL', 'SHORTLIST_CHANNEL (bundle.channel)'],
  ['SHORTLIST_REDIS_URL', 'REDIS_URL (redis.url)'],
];

for (const [name, nearest] of UNKNOWN) {
  t.test(`${name} is unknown, and named with the nearest variable`, async (t) => {
    const problems = problemsOf({ configsDir: 'configs', env: { [name]: '4000-hunter2' } });
    t.equal(problems.length, 1);
    t.match(problems, [`${name}: no setting has this variable; the nearest is ${nearest}`]);
    t.notMatch(problems.join(), 'hunter2', 'a value may be a secret');
  });
}

t.test('variables that are known, of Kubernetes services, of others or empty are no problem', async (t) => {
  const env = {
    SHORTLIST_API_KEY: 'sl_x',
    SHORTLIST_PROCESS_PLACE: '1',
    SHORTLIST_SOURCE: 'https://git.example/shortlist.git',
    SHORTLIST_AUTHMODE: '',
    SHORTLISTED: 'yes',
    // A Service named shortlist, and one named shortlist-redis.
    SHORTLIST_SERVICE_HOST: '10.0.0.1',
    SHORTLIST_SERVICE_PORT: '80',
    SHORTLIST_SERVICE_PORT_HTTP: '80',
    SHORTLIST_PORT: 'tcp://10.0.0.1:80',
    SHORTLIST_PORT_80_TCP: 'tcp://10.0.0.1:80',
    SHORTLIST_PORT_80_TCP_PROTO: 'tcp',
    SHORTLIST_PORT_80_TCP_PORT: '80',
    SHORTLIST_PORT_80_TCP_ADDR: '10.0.0.1',
    SHORTLIST_REDIS_SERVICE_HOST: '10.0.0.2',
    SHORTLIST_REDIS_PORT: 'tcp://10.0.0.2:6379',
    SHORTLIST_REDIS_PORT_6379_TCP_ADDR: '10.0.0.2',
  };
  t.strictSame(problemsOf({ configsDir: 'configs', env }), []);
});

const LIMIT = { SHORTLIST_RATE_LIMIT: '600' };

/** Settings of security that have no effect, and with what beside them they would have one. */
const INEFFECTIVE: readonly [string, Record<string, string>, RegExp, Record<string, string>?][] = [
  [
    'subjects are bound without tokens',
    { SHORTLIST_JWT_BIND_SUBJECT: 'true' },
    /^SHORTLIST_JWT_BIND_SUBJECT: jwt\.bindSubject is true and has no effect, because jwt\.jwksUrl is empty/,
    {
      SHORTLIST_JWT_JWKS_URL: 'https://id.example/keys',
      SHORTLIST_JWT_ISSUER: 'https://id.example/',
      SHORTLIST_JWT_AUDIENCE: 'shortlist',
    },
  ],
  ['an issuer without keys', { SHORTLIST_JWT_ISSUER: 'https://id.example/' }, /jwt\.issuer .* has no effect/],
  ['an audience without keys', { SHORTLIST_JWT_AUDIENCE: 'shop' }, /jwt\.audience .* has no effect/],
  [
    'a place to count requests without a limit',
    { SHORTLIST_RATE_LIMIT_STORE: 'redis' },
    /rateLimit\.store is "redis" and has no effect, because rateLimit\.requests is 0/,
    LIMIT,
  ],
  [
    'routes that are closed to nobody',
    { SHORTLIST_OPEN_ROUTES: 'health' },
    /auth\.openRoutes is \["health"\] and has no effect, because auth\.mode is none/,
    { SHORTLIST_AUTH: 'required' },
  ],
  [
    'an origin in upper case',
    { SHORTLIST_CORS_ORIGINS: 'https://Shop.example' },
    /send it as https:\/\/shop\.example$/,
  ],
  [
    'an origin with its default port',
    { SHORTLIST_CORS_ORIGINS: 'https://shop.example:443' },
    /send it as https:\/\/shop\.example$/,
  ],
  [
    'an origin in Unicode',
    { SHORTLIST_CORS_ORIGINS: 'https://bücher.example' },
    /send it as https:\/\/xn--bcher-kva\.example$/,
  ],
  [
    'an origin with a login',
    { SHORTLIST_CORS_ORIGINS: 'https://me@shop.example' },
    /send it as https:\/\/shop\.example$/,
  ],
  [
    'an origin with a query',
    { SHORTLIST_CORS_ORIGINS: 'https://shop.example?x' },
    /send it as https:\/\/shop\.example$/,
  ],
  [
    'an origin with a wildcard',
    { SHORTLIST_CORS_ORIGINS: 'https://*.shop.example' },
    /cannot be a wildcard$/,
  ],
  [
    'an origin with a port that is none',
    { SHORTLIST_CORS_ORIGINS: 'https://shop.example:99999' },
    /is not an origin$/,
  ],
  [
    'every origin beside one',
    { SHORTLIST_CORS_ORIGINS: '*,https://shop.example' },
    /makes the other origins of no effect$/,
  ],
  [
    'a proxy that is a name',
    { TRUST_PROXY: 'proxy.example' },
    /server\.trustProxy has "proxy\.example", allowed are IP/,
  ],
  ['a proxy that is a word', { TRUST_PROXY: 'true' }, /server\.trustProxy has "true"/],
  ['a range that is too long', { TRUST_PROXY: '10.0.0.0/33' }, /server\.trustProxy has "10\.0\.0\.0\/33"/],
  [
    'TLS that is misspelt',
    { VECTOR_ENGINE_URL: 'postgres://me:hunter2@db/shop?sslmod=verify-full' },
    /^vectorEngine\.url has the parameter "sslmod", which nothing reads/,
  ],
];

for (const [what, env, problem, cure] of INEFFECTIVE) {
  t.test(`${what}: a setting without effect is refused`, async (t) => {
    const problems = problemsOf({ configsDir: 'configs', env });
    t.match(problems, [problem]);
    t.equal(problems.length, 1);
    t.notMatch(problems.join(), 'hunter2');
    if (cure !== undefined) t.strictSame(problemsOf({ configsDir: 'configs', env: { ...env, ...cure } }), []);
  });
}

t.test('proxies are addresses, ranges and names of ranges', async (t) => {
  const env = { TRUST_PROXY: 'loopback,uniquelocal,10.0.0.1,10.0.0.0/8,fd00::/8,::1' };
  t.strictSame(problemsOf({ configsDir: 'configs', env }), []);
});
