import { Type, type Static } from 'typebox';
import { Auth, Cors, Jwt, RateLimit } from './access-settings.js';
import { Drift, FeatureLog, Impressions, Logging, Sources, Tracing } from './observing-settings.js';
import { REDIS_URL_FORMS } from './parse-redis-url.js';
import { bytes, host, milliseconds, port } from './setting-notes.js';
import { Canary, Shadow } from './trial-settings.js';

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

const Bundle = Type.Object(
  {
    registry: Type.String({
      minLength: 1,
      description:
        'The bundle registry: a folder, relative to the working directory, or a bucket of S3 as s3://bucket/prefix.',
      variable: 'SHORTLIST_REGISTRY',
    }),
    s3Endpoint: Type.String({
      description: 'URL of the service that has the bucket of the registry; without one it is Amazon’s.',
      variable: 'SHORTLIST_S3_ENDPOINT',
    }),
    cacheFolder: Type.String({
      minLength: 1,
      description:
        'Folder that bundles of a registry in a bucket are fetched into, relative to the working directory.',
      variable: 'SHORTLIST_BUNDLE_CACHE',
    }),
    channel: Type.String({
      pattern: '^[a-z][a-z0-9-]{0,63}$',
      'x-allowed': 'lower-case letters, digits and hyphens, a letter first',
      description: 'Channel whose bundle is served.',
      variable: 'SHORTLIST_CHANNEL',
    }),
    watchSeconds: Type.Integer({
      minimum: 0,
      maximum: 3600,
      unit: 's',
      description:
        'How often a server looks where its channel points, give or take a quarter; when that is another bundle, it swaps it in. One that was refused is not tried again before the channel moves.',
      variable: 'SHORTLIST_WATCH_SECONDS',
      zero: 'never: a bundle is swapped in when `POST /bundle/reload` asks for it',
      danger: 'Each server reads one small file, or sends one request to the bucket, each time.',
    }),
    trialSilenceMs: milliseconds(0, 3_600_000, {
      description:
        'Before a reload swaps a bundle in, a process of its own opens it and asks it for recommendations. When that process says nothing for so long, its model hangs: it is killed, and the reload refused.',
      zero: 'bundles are not tried before; a model that hangs at a reload then ends the process',
      danger:
        'The trial lets requests go first, so on a busy machine it may be silent for seconds. It takes the memory of one more bundle, before the new one does.',
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
      zero: 'one for each core, shared among the processes of `supervisor.processes`',
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
    rankerBudgetShare: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'Share of `compute.deadlineMs` that one run of the ranker may take. Where most of a thread’s latest five runs take longer or fail, it leaves the ranker alone, and requests are answered in fusion order and say so.',
      danger: 'Far below 1, a busy machine is taken for a slow ranker.',
    }),
    rankerProbeAfterMs: milliseconds(10, 600_000, {
      description:
        'A ranker that was left alone for so long is tried again, beside the requests of one thread.',
      danger: 'While a run is slow, requests that its thread has taken wait for it: do not try too often.',
    }),
    hangMs: milliseconds(100, 600_000, {
      description:
        'A thread that has not answered a batch for so long hangs. The process then logs `fatal`, drains and ends with a code other than 0, for its supervisor to start anew: a thread inside of a model cannot be ended alone.',
      danger: 'Below the time of the longest run, a slow model restarts the process.',
    }),
  },
  { additionalProperties: false },
);

const Supervisor = Type.Object(
  {
    processes: Type.Integer({
      minimum: 0,
      maximum: 256,
      unit: 'processes',
      description:
        'Server processes behind the public listener; a supervisor starts them, and starts one anew that ends by itself. `serve --processes` says otherwise.',
      variable: 'SHORTLIST_PROCESSES',
      zero: 'no supervisor: the process serves by itself',
      danger: 'Each holds a copy of the bundle in memory.',
    }),
    restartDelayMs: milliseconds(0, 60_000, {
      description:
        'A process that ended is started anew after a random time of up to so long; up to twice as long for every other one that ended of late.',
    }),
    maxRestartDelayMs: milliseconds(0, 600_000, { description: 'Where that doubling ends.' }),
    maxDeaths: Type.Integer({
      minimum: 1,
      maximum: 1000,
      description:
        'When more processes than this end by themselves within `supervisor.deathWindowMs`, the supervisor stops the others and ends with 1.',
    }),
    deathWindowMs: milliseconds(1000, 3_600_000, { description: 'How long an end counts.' }),
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
      danger:
        'It is the limit of one bundle. A reload holds the old views and the new ones at once, and a canary or shadow is one bundle more: leave room for all.',
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

const VectorEngine = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether a Postgres with pgvector is asked for the items nearest to a user, which `shortlist load-vectors` fills; docs/retrieval.md says when that pays. When false the bundle is searched.',
      variable: 'SHORTLIST_VECTOR_ENGINE',
    }),
    url: Type.String({
      pattern: '^postgres(ql)?://[^\\s]+$',
      'x-allowed': '`postgres://user:password@host:port/database`, with `?sslmode=verify-full` for TLS',
      description: 'The Postgres.',
      variable: 'VECTOR_ENGINE_URL',
      secret: true,
    }),
    table: Type.String({
      pattern: '^[a-z][a-z0-9_]{0,29}$',
      'x-allowed': 'at most 30 lower-case letters, digits and underscores, a letter first',
      description: 'How the names of its tables begin, one per bundle: `<table>_<version>`.',
    }),
    maxConnections: Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'Connections of one thread at most; searches beyond wait for one.',
      danger: 'A server opens up to this many for each of its threads: Postgres must take them all.',
    }),
    connectTimeoutMs: milliseconds(10, 60_000, {
      description: 'Time that a connection has to open, or to become free.',
    }),
    queryTimeoutMs: milliseconds(1, 60_000, {
      description:
        'Time that one search has, and never more than half of what the request has left; then the other sources answer.',
      danger:
        'While the engine hangs, the requests until the breaker opens wait for so long, and their threads with them.',
    }),
    expansion: Type.Integer({
      minimum: 1,
      maximum: 1000,
      unit: 'items',
      description:
        'Items that the index of the engine looks at per search (`hnsw.ef_search`): more are slower, and find more.',
      danger: 'Below what a scenario asks a source for, recall suffers.',
    }),
    breakerCalls: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: 'The breaker of a thread judges so many of its latest searches.',
    }),
    breakerFailureShare: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      description: 'When more than this share of them failed, the engine is not asked for a while.',
    }),
    breakerProbeAfterMs: milliseconds(10, 600_000, {
      description: 'After so long the engine is tried again, beside the requests.',
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
        'Memory for answers, outside of the JavaScript heap; what was asked least recently goes first.',
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

/** Every setting with its type, its bounds and what there is to know of it. Values come from `configs/*.yaml` and the environment. */
export const SettingsSchema = Type.Object(
  {
    server: Server,
    shutdown: Shutdown,
    logging: Logging,
    bundle: Bundle,
    compute: Compute,
    supervisor: Supervisor,
    features: Features,
    redis: RedisSettings,
    cache: Cache,
    impressions: Impressions,
    featureLog: FeatureLog,
    sources: Sources,
    tracing: Tracing,
    drift: Drift,
    docs: Docs,
    auth: Auth,
    jwt: Jwt,
    rateLimit: RateLimit,
    cors: Cors,
    vectorEngine: VectorEngine,
    canary: Canary,
    shadow: Shadow,
  },
  { additionalProperties: false },
);

export type Settings = Static<typeof SettingsSchema>;

/** Values of `SHORTLIST_ENV`, each with its own file beside `default.yaml`; the first is the default. */
export const ENVIRONMENTS = ['development', 'staging', 'production'] as const;

export type Environment = (typeof ENVIRONMENTS)[number];
