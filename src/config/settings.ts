import { Type, type Static } from 'typebox';
import { API_KEY_ENTRY, API_KEY_ENTRY_FORM } from './api-key-entry.js';
import { REDIS_URL_FORMS } from './parse-redis-url.js';

/** What each setting says of itself, beside its type: the configuration page is rendered from it. */
export interface SettingNotes {
  readonly description: string;
  /** The environment variable that overrides the files. */
  readonly variable?: string;
  readonly unit?: string;
  /** What 0 means, where it means something of its own. */
  readonly zero?: string;
  /** What goes wrong with a bad value. */
  readonly danger?: string;
  /** Its value may hold a password: no message shows it. */
  readonly secret?: boolean;
}

const port = (notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum: 0, maximum: 65_535, zero: 'any free port', ...notes });
const host = (notes: SettingNotes): Type.TString => Type.String({ minLength: 1, ...notes });
const milliseconds = (minimum: number, maximum: number, notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum, maximum, unit: 'ms', ...notes });
const bytes = (minimum: number, maximum: number, notes: SettingNotes): Type.TInteger =>
  Type.Integer({ minimum, maximum, unit: 'bytes', ...notes });

const Server = Type.Object(
  {
    host: host({
      description: 'Address that the public listener binds.',
      variable: 'HOST',
      danger: '`0.0.0.0` listens on every interface, which a container needs and a laptop seldom wants.',
    }),
    port: port({ description: 'Port of the public listener.', variable: 'PORT' }),
    adminHost: host({
      description: 'Address that the admin listener binds: metrics, bundle, reload.',
      variable: 'ADMIN_HOST',
      danger:
        'Bind it only where the public cannot reach it, whatever `auth.mode` says: it can swap the bundle that is served.',
    }),
    adminPort: port({ description: 'Port of the admin listener.', variable: 'ADMIN_PORT' }),
    headersTimeoutMs: milliseconds(100, 120_000, {
      description: 'Time a client has to send its headers; 408 after that.',
      danger: 'Large values let a few slow clients hold connections open.',
    }),
    requestTimeoutMs: milliseconds(100, 120_000, {
      description: 'Time a client has to send its whole request; 408 after that.',
    }),
    timeoutCheckIntervalMs: milliseconds(10, 30_000, {
      description: 'How often the two timeouts above are checked; they fire up to this much late.',
    }),
    keepAliveTimeoutMs: milliseconds(1, 600_000, {
      description: 'How long an idle connection is kept for the next request.',
      danger:
        'Keep it longer than the idle timeout of the load balancer in front, or requests meet a closing connection.',
    }),
    stallTimeoutMs: milliseconds(0, 600_000, {
      description:
        'A connection of the public listener over which nothing moved for this long, while an answer is owed or not taken, is cut.',
      zero: 'never',
      danger: 'Without it, clients that do not read their answers hold connections for ever.',
    }),
    maxHeaderBytes: bytes(4096, 262_144, {
      description: 'Request line and headers together at most; 431 above.',
    }),
    maxHeaderCount: Type.Integer({
      minimum: 10,
      maximum: 2000,
      description: 'Header lines of a request at most; 431 above.',
    }),
    maxUrlLength: Type.Integer({
      minimum: 256,
      maximum: 200_000,
      unit: 'characters',
      description: 'Path and query at most; 414 above. 500 excluded ids of 36 characters need 22,500.',
      danger: 'It must stay below `maxHeaderBytes`, which would answer first.',
    }),
    maxBodyBytes: bytes(1, 1_048_576, { description: 'Request body at most; 413 above.' }),
    trustProxy: Type.Array(Type.String({ minLength: 1, 'x-allowed': 'an IP address or CIDR range' }), {
      description:
        'Proxies whose `X-Forwarded-For` is believed; the log line and the rate limit name the client by it.',
      variable: 'TRUST_PROXY',
      danger:
        'A range that clients are in lets them choose the address that is logged and limited. Without it, all clients behind a proxy share one limit.',
    }),
  },
  { additionalProperties: false },
);

const Shutdown = Type.Object(
  {
    drainDelayMs: milliseconds(0, 300_000, {
      description: 'After SIGTERM `/ready` answers 503 at once; the listeners close only after this delay.',
      variable: 'SHORTLIST_DRAIN_DELAY_MS',
      zero: 'close at once',
      danger: 'Shorter than the time the load balancer needs to see `/ready` fail means lost requests.',
    }),
    timeoutMs: milliseconds(100, 300_000, {
      description:
        'Time that requests under way have to finish after the listeners close; then the process exits with 1.',
    }),
  },
  { additionalProperties: false },
);

const Logging = Type.Object(
  {
    level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description: 'Least severe level that is written.',
      variable: 'LOG_LEVEL',
    }),
    requestSampleRate: Type.Number({
      minimum: 0,
      maximum: 1,
      description: 'Share of requests that get a log line. Answers of 500 and above always get one.',
      zero: 'only answers of 500 and above',
      danger:
        'A line costs CPU: at 1 every request pays for it. Metrics count every request whatever the rate.',
    }),
  },
  { additionalProperties: false },
);

const Bundle = Type.Object(
  {
    registry: Type.String({
      minLength: 1,
      description: 'Folder of the bundle registry, relative to the working directory.',
      variable: 'SHORTLIST_REGISTRY',
    }),
    channel: Type.String({
      pattern: '^[a-z][a-z0-9-]{0,63}$',
      'x-allowed': 'lower-case letters, digits and hyphens, a letter first',
      description: 'Channel whose bundle is served.',
      variable: 'SHORTLIST_CHANNEL',
    }),
  },
  { additionalProperties: false },
);

const Compute = Type.Object(
  {
    workers: Type.Integer({
      minimum: 0,
      maximum: 256,
      unit: 'threads',
      description: 'Threads that run the pipeline; the event loop is left to the network.',
      variable: 'SHORTLIST_WORKERS',
      zero: 'one for each core',
      danger: 'More than cores only lets them wait for each other.',
    }),
    maxBatch: Type.Integer({
      minimum: 1,
      maximum: 256,
      unit: 'requests',
      description:
        'Requests that a thread answers together at most. Batches form of what waits while all threads compute.',
      danger: 'A request waits for all that are answered together with it.',
    }),
    deadlineMs: milliseconds(1, 60_000, {
      description:
        'Time that a request has, from its arrival to its answer; then it is answered with what most people chose, and says so. A client may ask for less with the header `x-request-timeout-ms`.',
      variable: 'SHORTLIST_DEADLINE_MS',
      danger: 'What cannot be answered within it is refused with 503: a short one refuses much.',
    }),
    maxWaiting: Type.Integer({
      minimum: 1,
      maximum: 100_000,
      unit: 'requests',
      description:
        'Requests that wait for a thread at most; 503 above, or sooner when they cannot be answered in time.',
    }),
    minDepth: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'Share of the candidates that are ranked when requests have waited for most of their time. The longer they wait, the fewer are ranked, and only when that is not enough is anybody refused.',
      danger: 'At 1 the depth never changes, and overload is met by refusing alone.',
    }),
  },
  { additionalProperties: false },
);

const Features = Type.Object(
  {
    memoryLimitMegabytes: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      unit: 'MB',
      description:
        'What the feature views of a bundle may take in memory together; a bundle whose manifest says that they would take more is refused before it is loaded.',
      danger: 'A reload holds the old views and the new ones at once: leave room for both.',
    }),
    minLoadMegabytesPerSecond: Type.Number({
      minimum: 0,
      maximum: 100_000,
      unit: 'MB/s',
      description:
        'A feature view of a megabyte or more that loads slower than this logs a warning and counts in `shortlist_feature_slow_loads_total`; it is served all the same.',
      zero: 'no load is too slow',
    }),
    online: Type.Boolean({
      description:
        'Whether views that say so are served from Redis, which `shortlist materialise` fills and pushes change. When false the bundle serves every view.',
      variable: 'SHORTLIST_ONLINE_FEATURES',
    }),
    expirySeconds: Type.Integer({
      minimum: 60,
      maximum: 315_360_000,
      unit: 's',
      description: 'In Redis: how long rows live that nobody writes again.',
      danger: 'Materialise more often than this, or every entity becomes unknown.',
    }),
    maxPushBytes: bytes(1024, 67_108_864, {
      description: 'Body of a push to the admin listener at most; 413 above.',
    }),
  },
  { additionalProperties: false },
);

const RedisSettings = Type.Object(
  {
    url: Type.String({
      pattern: '^rediss?(-sentinel|-cluster)?://[^\\s]+$',
      'x-allowed': REDIS_URL_FORMS,
      description:
        'Redis of the feature store; one server, a master behind Sentinels or a cluster; asked only for views that are served online.',
      variable: 'REDIS_URL',
      secret: true,
    }),
    connectTimeoutMs: milliseconds(10, 60_000, { description: 'Time that a connection has to open.' }),
    commandTimeoutMs: milliseconds(1, 10_000, {
      description: 'Time that Redis has for one reply; then the request uses the declared defaults.',
      danger: 'While Redis hangs, the requests until the breaker opens wait for so long.',
    }),
    socketTimeoutMs: milliseconds(10, 60_000, {
      description: 'A connection that owes replies and is silent for so long is dropped.',
    }),
    breakerCalls: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'The breaker judges so many of the latest requests.',
    }),
    breakerFailureShare: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'When more than this share of them failed, Redis is not asked for a while.',
    }),
    breakerProbeAfterMs: milliseconds(10, 600_000, {
      description: 'After so long Redis is tried again, beside the requests.',
    }),
  },
  { additionalProperties: false },
);

const Cache = Type.Object(
  {
    enabled: Type.Boolean({
      description: 'Whether answers are kept. docs/caching.md says what makes one answer another.',
      variable: 'SHORTLIST_CACHE',
    }),
    ttlSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description: 'How long an answer is kept.',
      danger: 'For so long a value with a time to live may go on counting after its time is over.',
    }),
    jitterShare: Type.Number({
      minimum: 0,
      maximum: 0.9,
      description:
        'Share of it by which lives differ, shorter or longer, so that what was made together does not end together.',
      zero: 'all live equally long',
    }),
    maxMegabytes: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      unit: 'MB',
      description:
        'Memory for answers, outside of the JavaScript heap; what was asked least recently goes first. One of 10 items takes about 3 kB.',
    }),
    redis: Type.Boolean({
      description:
        'Whether processes share answers, at `redis.url`. While Redis is away each keeps its own; no request waits longer than `redis.commandTimeoutMs` for it.',
      variable: 'SHORTLIST_CACHE_REDIS',
    }),
  },
  { additionalProperties: false },
);

const Docs = Type.Object(
  { enabled: Type.Boolean({ description: 'Whether `/docs` and `/openapi.json` are served.' }) },
  { additionalProperties: false },
);

const Auth = Type.Object(
  {
    mode: Type.Enum(['none', 'required'], {
      description:
        '`required`: a request needs an API key or, where `jwt.jwksUrl` is set, a token, and the server does not start without either. `none`: everybody may ask.',
      variable: 'SHORTLIST_AUTH',
      danger:
        'With `none`, who reaches the listeners can ask about every user, and over the admin listener change what is served.',
    }),
    apiKeys: Type.Array(
      Type.String({ pattern: API_KEY_ENTRY, 'x-allowed': API_KEY_ENTRY_FORM, secret: true }),
      {
        description:
          'Keys that are accepted, by their SHA-256. `shortlist api-key create` makes a key and its entry.',
        variable: 'SHORTLIST_API_KEYS',
      },
    ),
    apiKeysFile: Type.String({
      'x-allowed': 'the path of a file, or empty',
      description:
        'A file with more such entries, one per line; empty lines and lines that begin with # do not count. Read once, at the start.',
      variable: 'SHORTLIST_API_KEYS_FILE',
    }),
    openRoutes: Type.Array(Type.Enum(['health', 'docs']), {
      description:
        'What needs no key: `health` is `/live` and `/ready`, `docs` is `/docs` and `/openapi.json`.',
    }),
  },
  { additionalProperties: false },
);

const Jwt = Type.Object(
  {
    jwksUrl: Type.String({
      pattern: '^(https?://[^\\s@]+)?$',
      'x-allowed': 'an http or https URL without credentials, or empty',
      description: 'Where the issuer publishes its public keys (RFC 7517). Empty: no tokens, only API keys.',
      variable: 'SHORTLIST_JWT_JWKS_URL',
      danger: 'Over plain http, who stands in between can sign tokens of his own.',
    }),
    issuer: Type.String({
      description: 'What `iss` of a token must be.',
      variable: 'SHORTLIST_JWT_ISSUER',
    }),
    audience: Type.String({
      description: 'What `aud` of a token must be or contain.',
      variable: 'SHORTLIST_JWT_AUDIENCE',
    }),
    algorithms: Type.Array(
      Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
      {
        minItems: 1,
        description:
          'Signatures that are accepted. All are asymmetric: whoever can check a token could otherwise make one.',
      },
    ),
    scopePrefix: Type.String({
      description:
        'Before `read`, `write` and `admin` in `scope` or `scp` of a token, so that a scope meant for something else opens nothing here.',
    }),
    bindSubject: Type.Boolean({
      description:
        '`/recommendations/:userId` is answered only where `sub` of the token is that user; 403 otherwise.',
      variable: 'SHORTLIST_JWT_BIND_SUBJECT',
      danger:
        'When false, every token with the scope `read` may ask about every user: right for services, wrong for apps.',
    }),
    clockToleranceSeconds: Type.Integer({
      minimum: 0,
      maximum: 300,
      unit: 's',
      description: 'How far the clocks of issuer and server may be apart.',
    }),
    fetchTimeoutMs: milliseconds(10, 30_000, {
      description:
        'Time that the issuer has to send its keys. Requests wait for it only while no usable key is known.',
    }),
    refreshSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description:
        'Keys older than this are fetched again beside the requests; a token of an unknown key has them fetched at once.',
    }),
    maxKeyAgeSeconds: Type.Integer({
      minimum: 60,
      maximum: 2_592_000,
      unit: 's',
      description:
        'While the issuer cannot be reached, known keys are used until they are this old; then tokens are a 503.',
      danger:
        'For so long a key that the issuer withdrew may go on being accepted while the issuer cannot be reached.',
    }),
  },
  { additionalProperties: false },
);

const RateLimit = Type.Object(
  {
    requests: Type.Integer({
      minimum: 0,
      maximum: 10_000_000,
      description:
        'Requests of one client to the public listener per window; 429 above. A client is an API key, the subject of a token, or else an address (of IPv6 its /64). `/live` and `/ready` do not count.',
      variable: 'SHORTLIST_RATE_LIMIT',
      zero: 'no limit',
    }),
    windowSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description: 'Length of the window.',
    }),
    store: Type.Enum(['memory', 'redis'], {
      description:
        'Where requests are counted. `memory`: each process for itself. `redis`: all together, at `redis.url`; while Redis is away each process counts for itself.',
      variable: 'SHORTLIST_RATE_LIMIT_STORE',
    }),
  },
  { additionalProperties: false },
);

const Cors = Type.Object(
  {
    origins: Type.Array(
      Type.String({
        pattern: '^(\\*|https?://[^/\\s,]+)$',
        'x-allowed': 'an origin such as `https://shop.example` (no path, no slash at the end), or `*`',
      }),
      {
        description:
          'Origins whose pages may read the answers of the public listener. None: no page of another origin.',
        variable: 'SHORTLIST_CORS_ORIGINS',
        danger: 'A key in a page is a key that everybody has: give pages tokens with `jwt.bindSubject`.',
      },
    ),
  },
  { additionalProperties: false },
);

/** Every setting with its type, its bounds and what there is to know of it. Values come from `configs/*.yaml` and the environment. */
export const SettingsSchema = Type.Object(
  {
    server: Server,
    shutdown: Shutdown,
    logging: Logging,
    bundle: Bundle,
    compute: Compute,
    features: Features,
    redis: RedisSettings,
    cache: Cache,
    docs: Docs,
    auth: Auth,
    jwt: Jwt,
    rateLimit: RateLimit,
    cors: Cors,
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof SettingsSchema>;

/** Values of `SHORTLIST_ENV`, each with its own file beside `default.yaml`; the first is the default. */
export const ENVIRONMENTS = ['development', 'staging', 'production'] as const;

export type Environment = (typeof ENVIRONMENTS)[number];
