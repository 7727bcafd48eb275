import { Type } from 'typebox';
import { REDIS_URL_FORMS } from './parse-redis-url.js';
import { bytes, milliseconds } from './setting-notes.js';

// Settings of what is asked for rows, vectors and slates beside the bundle.

/** Settings of the feature views in memory. */
export const Features = Type.Object(
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

/** Settings of the online feature store. */
export const RedisSettings = Type.Object(
  {
    url: Type.String({
      pattern: '^rediss?(-sentinel|-cluster)?://[^\\s]+$',
      'x-allowed': REDIS_URL_FORMS,
      description:
        'Redis of the feature store; one server, a master behind Sentinels or a cluster; asked only for views that are served online.',
      variable: 'REDIS_URL',
      secret: true,
    }),
    keyPrefix: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9:._-]{0,99}$',
      'x-allowed': 'letters, digits and `:._-`, a letter or digit first',
      description:
        'What every key of Shortlist in Redis begins with: rows, slates and rate limits. Give each deployment that shares a Redis its own; `materialise` and `push` need the one of the servers.',
      variable: 'SHORTLIST_REDIS_PREFIX',
      danger:
        'After a change every key of before is as if it were not there, until it expires: run `shortlist materialise`.',
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

/** Settings of the vector engine. */
export const VectorEngine = Type.Object(
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

/** Settings of the cache of answers. */
export const Cache = Type.Object(
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
