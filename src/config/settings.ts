import { Type, type Static } from 'typebox';
import { Auth, Cors, Jwt, RateLimit } from './access-settings.js';
import { Events } from './event-settings.js';
import { Forgotten } from './forgotten-settings.js';
import { OverridesSettings } from './overrides-settings.js';
import { Drift, FeatureLog, Impressions, Logging, Sources, Tracing } from './observing-settings.js';
import { bytes, host, milliseconds, port } from './setting-notes.js';
import { Cache, Features, RedisSettings, VectorEngine } from './store-settings.js';
import { Canary, Shadow } from './experiment-settings.js';

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
    maxPipelined: Type.Integer({
      minimum: 1,
      maximum: 1000,
      unit: 'requests',
      description:
        'Requests that one connection sends without waiting for answers and that are answered at a time; those behind them wait for these to be read.',
    }),
    maxHeldRequests: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      unit: 'requests',
      description:
        'Requests of all connections that wait like this. Beyond, the connection that has most of them is cut, and counted in `shortlist_slow_clients_total`.',
      danger: 'Each takes about 4 KB of memory.',
    }),
    maxBodyBytes: bytes(1, 1_048_576, {
      description: 'Request body at most; 413 above. Pushed rows and events have limits of their own.',
    }),
    allowedHosts: Type.Array(
      Type.String({
        pattern: '^[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?$',
        'x-allowed': 'a host name in lower case, without a port',
      }),
      {
        description:
          'Names that requests may give in `Host`, beside loopback ones; 403 for others. A listener on loopback checks `Host`, the public one when `auth.mode` is none, the admin one always, so that no web page reaches it under a name of its own (DNS rebinding), and wherever this list is not empty. The address that a request came to passes there too.',
        variable: 'SHORTLIST_ALLOWED_HOSTS',
      },
    ),
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
    dataset: Type.String({
      description:
        'Dataset whose bundles are served: a bundle of another one is refused, at the start and when the channel moves. Without one it is that of the bundle that the server opens first.',
      variable: 'SHORTLIST_SERVED_DATASET',
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
        'Time that a request has, from its arrival to its answer; then it is answered with what most people chose, and says so. A client may ask for less with the header `x-request-timeout-ms` or the parameter `timeoutMs`.',
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
    desertedMs: milliseconds(100, 600_000, {
      description:
        'A thread that ended is replaced, and where that fails tried again, ever less often. While no thread is left `/ready` answers 503; after so long the process logs `fatal`, drains and ends, for its supervisor to start anew.',
    }),
    quarantineSeconds: Type.Integer({
      minimum: 0,
      maximum: 86_400,
      unit: 's',
      description:
        'A user or item whose request ended a computing thread, or made it hang, is answered with what most people chose for so long, by every process of a supervisor; each further time four times as long, up to a day. `degraded` says `request_quarantined`.',
      zero: 'such a request is given to the next thread',
      danger:
        'Requests that the same thread had taken are held too: up to `compute.maxBatch` users get the fallback for so long.',
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
    silenceMs: milliseconds(100, 600_000, {
      description:
        'A server process that gives its supervisor no sign of life for so long (it is stopped, or its event loop hangs) is killed, counted in `shortlist_silent_processes_total`, and replaced. While it starts it has thirty times as long.',
      danger: 'Below the longest pause of a busy machine, processes that work are killed.',
    }),
    answerMs: milliseconds(10, 60_000, {
      description:
        'How long `GET /metrics` waits for each server process; the metrics of one that has not answered by then are left out.',
      danger: 'Above the timeout of the scraper, one stuck process hides the metrics of all.',
    }),
  },
  { additionalProperties: false },
);

const Docs = Type.Object(
  { enabled: Type.Boolean({ description: 'Whether `/docs` and `/openapi.json` are served.' }) },
  { additionalProperties: false },
);

const Explorer = Type.Object(
  {
    enabled: Type.Boolean({
      description:
        'Whether the admin listener serves `/explorer`, `POST /inspect` and `GET /items`: docs/explorer.md shows them.',
      danger:
        'Who may ask the admin listener reads there what any user did, and why any item is shown to them.',
    }),
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
    supervisor: Supervisor,
    features: Features,
    redis: RedisSettings,
    cache: Cache,
    events: Events,
    forgotten: Forgotten,
    overrides: OverridesSettings,
    impressions: Impressions,
    featureLog: FeatureLog,
    sources: Sources,
    tracing: Tracing,
    drift: Drift,
    docs: Docs,
    explorer: Explorer,
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

/** All settings, typed as their schema says. */
export type Settings = Static<typeof SettingsSchema>;

/** Values of `SHORTLIST_ENV`, each with its own file beside `default.yaml`; the first is the default. */
export const ENVIRONMENTS = ['development', 'staging', 'production'] as const;

/** A value of `SHORTLIST_ENV`. */
export type Environment = (typeof ENVIRONMENTS)[number];
