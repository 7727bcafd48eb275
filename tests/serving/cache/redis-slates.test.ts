import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import t from 'tap';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import { materialiseView } from '../../../src/features/materialise-view.js';
import { publishOnlineBundle } from '../../support/online-server.js';
import { startCachedServer } from '../../support/cached-server.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { connect, SPACE } from '../../support/redis-view.js';
import { writeSmallBundle } from '../../support/trained-bundle.js';

const PATH = '/recommendations/u3';
/** What is made for each answer, kept or not. */
const NO_IDS = { requestId: '', slateId: '' };
const PATIENT = { commandTimeoutMs: 1000 };

t.test('slates in Redis', { skip: REDIS_MISSING }, async (t) => {
  const dir = t.testdir({ trained: {}, online: {} });
  const models = join(dir, 'models');
  await createFolderRegistry(models).publish((await writeSmallBundle(join(dir, 'trained'))).folder);
  const start = (t: Parameters<typeof startCachedServer>[0], url: string, release = '1') =>
    startCachedServer(t, models, { cache: { redis: true }, redis: { url, ...PATIENT }, release, workers: 0 });

  await t.test('what one process computed another one answers, of the same release', async (t) => {
    const redis = await startRedisServer(t);
    const client = await connect(t, redis.url);
    const one = await start(t, redis.url);
    const other = await start(t, redis.url);
    const { body } = await one.get(PATH);
    while ((await client.dbsize()) < 1) await wait(5);
    const shared = await other.get(PATH);
    t.equal(shared.cache, 'hit');
    t.same({ ...shared.body, ...NO_IDS }, { ...body, ...NO_IDS });
    t.not(shared.body.slateId, body.slateId);
    t.equal(await other.metric('slate_cache_lookups_total{layer="redis",outcome="hit"}'), 1);
    const [key] = await client.keys('*');
    t.notMatch(key, 'u3', 'no id of a user');
    t.ok((await client.pttl(key!)) <= 72_000);
    t.equal((await (await start(t, redis.url, '2')).get(PATH)).cache, 'miss', 'another release');
  });

  await t.test('a value that is no slate is a miss, counted and overwritten', async (t) => {
    const redis = await startRedisServer(t);
    const client = await connect(t, redis.url);
    const writer = await start(t, redis.url);
    const { body } = await writer.get(PATH);
    while ((await client.dbsize()) < 1) await wait(5);
    const key = (await client.keys('*'))[0]!;
    const whole = (await client.getBuffer(key))!;
    const changed = (at: number, value: number): Buffer => {
      const bytes = Buffer.from(whole);
      bytes[at] = value;
      return bytes;
    };
    const digest = key.slice('shortlist:slates:1:'.length);
    const signed = (bytes: Buffer): Buffer => {
      bytes.writeUInt32BE(crc32(bytes.subarray(7), crc32(digest)), 3);
      return bytes;
    };
    const score = /"score":[\d.]+/.exec(whole.toString('latin1'))![0];
    const withScore = (text: string): Buffer =>
      signed(Buffer.from(whole.toString('latin1').replace(score, text.padEnd(score.length)), 'latin1'));
    const factsLength = whole.readUInt32BE(7);
    const facts = JSON.parse(whole.toString('utf8', 11, 11 + factsLength)) as Record<string, unknown>;
    /** A slate whose checksum is right: whoever can write to Redis can compute it. */
    const forged = (changes: object, answer: object = {}): Buffer => {
      const text = Buffer.from(JSON.stringify({ ...facts, ...changes }));
      const { requestId: _requestId, slateId: _slateId, ...rest } = body;
      const kept = { ...rest, ...answer };
      const head = Buffer.from(whole.subarray(0, 11));
      head.writeUInt32BE(text.length, 7);
      return signed(Buffer.concat([head, text, Buffer.from(`,${JSON.stringify(kept).slice(1)}`)]));
    };
    const put = (bytes: Buffer) => client.set(key, bytes, 'PX', 50_000);
    const FORGED: [string, object, object?][] = [
      ['no facts', { scenario: undefined, strategy: undefined, degraded: undefined }],
      ['a scenario of the forger’s choice', { scenario: 'forged' }],
      ['a scenario of the forger’s choice everywhere', { scenario: 'forged' }, { scenario: 'forged' }],
      ['a strategy of the forger’s choice', { strategy: 'forged' }],
      ['another strategy than the answer has', { strategy: 'cold-start' }],
      ['a strategy that is no text', { strategy: { toString: 1 } }],
      ['degraded stages of the forger’s choice', { degraded: [{ stage: 'forged', reason: 'forged' }] }],
      ['degraded that is no list', { degraded: null }],
      ['degraded in the answer only', {}, { degraded: [{ stage: 'forged', reason: 'forged' }] }],
      ['another bundle', { bundle: 'forged' }],
      ['another bundle everywhere', { bundle: 'forged' }, { bundle: 'forged' }],
      ['a number of items that is not theirs', { itemCount: 99 }],
      ['a number of items that is none', { itemCount: '10' }],
      ['sources that are no lists', { retrievedBy: [1] }],
      ['sources of other items', { retrievedBy: [] }],
      ['facts beside the known ones', { forged: true }],
      ['the answer of another user', {}, { userId: 'u4' }],
      ['a slate id of the forger’s choice', {}, { slateId: body.slateId }],
      ['a request id of the forger’s choice', {}, { requestId: body.requestId }],
    ];
    const faults: [string, string, () => Promise<unknown>][] = [
      ['a flipped bit', 'corrupt', () => put(changed(whole.length - 9, 0))],
      ['a truncated one', 'corrupt', () => put(whole.subarray(0, whole.length - 20))],
      ['an empty one', 'corrupt', () => put(Buffer.alloc(0))],
      ['noise', 'corrupt', () => put(Buffer.from('x'.repeat(200)))],
      ['another format', 'other_schema', () => put(changed(2, 9))],
      ['NaN inside', 'other_schema', () => put(withScore('"score":NaN'))],
      ['no number inside', 'other_schema', () => put(withScore('"score":""'))],
      ['facts that are none', 'other_schema', () => put(signed(changed(11, 0)))],
      ...FORGED.map(([what, changes, answer]): [string, string, () => Promise<unknown>] => [
        what,
        'other_schema',
        () => put(forged(changes, answer)),
      ]),
      [
        'a list',
        'wrong_type',
        () =>
          client
            .del(key)
            .then(() => client.rpush(key, 'x'))
            .then(() => client.pexpire(key, 9000)),
      ],
      ['one for ever', 'no_expiry', () => client.set(key, whole)],
      ['one from a clock an hour ahead', 'no_expiry', () => client.set(key, whole, 'PX', 3_660_000)],
    ];
    await put(forged({}));
    t.equal((await (await start(t, redis.url)).get(PATH)).cache, 'hit', 'control: the same facts are taken');
    for (const [name, reason, damage] of faults) {
      await damage();
      const server = await start(t, redis.url);
      const answer = await server.get(PATH);
      t.equal(answer.cache, 'miss', name);
      t.same({ ...answer.body, ...NO_IDS }, { ...body, ...NO_IDS });
      t.equal(await server.metric(`slate_cache_refused_total{reason="${reason}"}`), 1, name);
      const isWhole = async () => (await client.getBuffer(key).catch(() => null))?.equals(whole);
      while ((await isWhole()) !== true) await wait(5);
      t.ok((await client.pttl(key)) > 0, 'overwritten, for a time');
    }
  });

  await t.test('an answer about candidates is taken only where it is of these candidates', async (t) => {
    const redis = await startRedisServer(t);
    const client = await connect(t, redis.url);
    const asked = { userId: 'u3', candidates: ['i030', 'i031', 'i032', 'nothing'], limit: 2 };
    const { body } = await (await start(t, redis.url)).post(asked);
    const { body: other } = await (
      await startCachedServer(t, models, { workers: 0 })
    ).get('/recommendations/u4');
    t.ok(other.nextCursor !== undefined && body.nextCursor !== undefined);
    t.equal(body.items.length, 2);
    t.same(body.dropped, [{ itemId: 'nothing', reason: 'unknown' }]);
    while ((await client.dbsize()) < 1) await wait(5);
    const key = (await client.keys('*'))[0]!;
    const whole = (await client.getBuffer(key))!;
    const factsEnd = 11 + whole.readUInt32BE(7);
    const { requestId: _requestId, slateId: _slateId, ...kept } = body;
    const put = async (changes: object, facts = whole.toString('utf8', 11, factsEnd)) => {
      const head = Buffer.from(whole.subarray(0, 11));
      head.writeUInt32BE(Buffer.byteLength(facts), 7);
      const forged = `,${JSON.stringify({ ...kept, ...changes }).slice(1)}`;
      const bytes = Buffer.concat([head, Buffer.from(facts), Buffer.from(forged)]);
      bytes.writeUInt32BE(crc32(bytes.subarray(7), crc32(key.slice('shortlist:slates:1:'.length))), 3);
      await client.set(key, bytes, 'PX', 50_000);
      return (await (await start(t, redis.url)).post(asked)).cache;
    };
    t.equal(await put({}), 'hit', 'control');
    const [first, second] = body.items;
    const swap = (id: string) => whole.toString('utf8', 11, factsEnd).replace(first!.itemId, id);
    const table: [string, object, string?][] = [
      ['an item that was not named', { items: [{ ...first, itemId: 'i040' }, second] }, swap('i040')],
      ['nothing of what was dropped', { dropped: undefined }],
      ['something dropped that was not named', { dropped: [{ itemId: 'i040', reason: 'unknown' }] }],
      ['an item both shown and dropped', { dropped: [{ itemId: first!.itemId, reason: 'ineligible' }] }],
      ['one dropped twice', { dropped: [...body.dropped!, ...body.dropped!] }],
      ['a reason of the forger’s choice', { dropped: [{ itemId: 'nothing', reason: 'forged' }] }],
      ['no user', { userId: undefined }],
      ['a cursor of another user', { nextCursor: other.nextCursor }],
      ['a cursor that is none', { nextCursor: 'x' }],
      ['another user', { userId: 'u4' }],
    ];
    for (const [what, changes, facts] of table) t.equal(await put(changes, facts), 'miss', what);
  });

  await t.test('a Redis that is away costs nobody an answer, and is used when it is back', async (t) => {
    const redis = await createRedisServer(t);
    const url = redis.url;
    const server = await startCachedServer(t, models, {
      workers: 0,
      cache: { redis: true },
      redis: { url, breakerCalls: 4, breakerProbeAfterMs: 20 },
    });
    const ask = async (user: number): Promise<void> => {
      const { status, body } = await server.get(`/recommendations/u${user}`);
      t.equal(status, 200);
      t.same(body.degraded, []);
    };
    for (let user = 0; user < 8; user++) await ask(user);
    t.equal((await server.get('/recommendations/u1')).cache, 'hit', 'memory goes on');
    t.equal(await server.metric('slate_cache_store_up{store="redis"}'), 0);
    t.ok((await server.metric('slate_cache_failures_total'))! >= 8);
    await redis.start();
    let user = 100;
    while ((await server.metric('slate_cache_store_up{store="redis"}')) !== 1) await ask(user++);
    redis.pause();
    for (let user = 20; user < 30; user++) await ask(user);
    redis.resume();
    await redis.kill();
    for (let user = 30; user < 40; user++) await ask(user);
  });

  await t.test('a push to a user makes the answers of that user others, in every process', async (t) => {
    const redis = await startRedisServer(t);
    const { registry, manifest, view } = await publishOnlineBundle(join(dir, 'online'));
    const space = { ...SPACE, dataset: manifest.dataset.name };
    const nobody = { view, ids: [], eventTimeOf: () => 0, fillRow: () => undefined };
    const client = await connect(t, redis.url);
    await materialiseView(nobody, client, { space, version: '1', expirySeconds: 3600 });
    const changes = { workers: 0 as const, redis: { url: redis.url, ...PATIENT } };
    const [one, other] = [
      await startCachedServer(t, registry, changes),
      await startCachedServer(t, registry, changes),
    ];
    for (const server of [one, other]) {
      t.equal((await server.get(PATH)).cache, 'miss');
      t.equal((await server.get(PATH)).cache, 'hit');
      t.equal((await server.get('/recommendations/u4')).cache, 'miss');
    }
    t.equal(await one.push([{ id: 'u3', values: {} }]), 200);
    for (const server of [one, other]) {
      t.equal((await server.get(PATH)).cache, 'miss', 'the row is another');
      t.equal((await server.get(PATH)).cache, 'hit');
      t.equal((await server.get('/recommendations/u4')).cache, 'hit', 'nobody else’s');
    }
    await redis.kill();
    const degraded = await one.get('/recommendations/u3?limit=3');
    t.equal(degraded.body.degraded.length, 1);
    t.equal((await one.get('/recommendations/u3?limit=3')).cache, 'miss', 'degraded answers are not kept');
    t.ok((await one.metric('slate_cache_not_kept_total{reason="degraded"}'))! >= 1);
  });
});
