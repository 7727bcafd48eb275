import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { startCachedServer } from '../support/cached-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { createApiKey } from '../../src/config/api-keys.js';
import { startOverridden } from '../serving/overriding/overridden-server.js';
import { build } from './build.js';
import { openSocket, parseAnswers, readAll } from './raw-socket.js';

type App = ReturnType<typeof build>['app'];
type Headers = Record<string, string>;

const SHARED = ['/popular', '/items/7/similar', '/openapi.json', '/docs/', '/docs/json'];
/** Longer than what is compressed from. */
const LONG = ['/popular?limit=100', '/items/7/similar?limit=100', '/openapi.json', '/docs/json'];
const FILE = '/docs/static/swagger-ui-bundle.js';

const ask = (app: App, url: string, headers: Headers = {}, method: 'GET' | 'HEAD' = 'GET') =>
  app.inject({ url, headers, method });
const etagOf = async (app: App, url: string): Promise<string> =>
  (await ask(app, url)).headers['etag'] as string;

/** What does not differ from request to request. */
function rest(body: Buffer): object {
  return { ...(JSON.parse(body.toString()) as object), requestId: '', slateId: '' };
}

t.test('the same answer has the same tag, whoever asks, and another has another', async (t) => {
  const { app, service } = build(t);
  for (const url of SHARED) {
    const tag = await etagOf(app, url);
    t.match(tag, /^W\/"[\w-]{22}"$/, url);
    t.equal(await etagOf(app, url), tag, url);
  }
  const tags = [
    await etagOf(app, '/popular'),
    await etagOf(app, '/popular?limit=3'),
    await etagOf(app, '/items/7/similar'),
  ];
  service.bundle = { ...service.bundle!, version: '20240602T120000Z-5e6f7a8b' };
  tags.push(await etagOf(app, '/popular'));
  service.degraded = [{ stage: 'ranking', reason: 'RANKER_FAILED' }];
  tags.push(await etagOf(app, '/popular'));
  t.equal(new Set(tags).size, 5);
});

t.test('who has the answer gets a 304 without a body', async (t) => {
  const { app, service } = build(t);
  for (const url of [...SHARED, FILE]) {
    const tag = await etagOf(app, url);
    for (const known of [tag, tag.slice(2), `"other", ${tag}`, `${tag},"other"`, '*']) {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await ask(app, url, { 'if-none-match': known, 'accept-encoding': 'br' }, method);
        t.equal(answer.statusCode, 304, `${url} ${known}`);
        t.equal(answer.body, '');
        t.equal(answer.headers['etag'], tag);
        for (const name of ['content-length', 'content-encoding'])
          t.notOk(name in answer.headers, `${method} ${url} ${name}`);
        t.ok('cache-control' in answer.headers);
        t.equal(answer.headers['vary'], 'accept-encoding');
        t.match(answer.headers['x-request-id'], /./);
      }
    }
    t.equal((await ask(app, url, { 'if-none-match': 'W/"other"' })).statusCode, 200, url);
  }
  const tag = await etagOf(app, '/popular');
  service.bundle = { ...service.bundle!, version: '20240602T120000Z-5e6f7a8b' };
  t.equal((await ask(app, '/popular', { 'if-none-match': tag })).statusCode, 200, 'another bundle');
});

t.test('HEAD has the headers of GET, and no body', async (t) => {
  const { app } = build(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  for (const path of [...SHARED, ...LONG, FILE]) {
    for (const encoding of ['identity', 'gzip', 'br']) {
      const headersOf = async (method: string): Promise<Headers> => {
        const answer = await fetch(`${url}${path}`, {
          method,
          headers: { 'accept-encoding': encoding, 'x-request-id': 'one' },
        });
        await answer.arrayBuffer();
        const headers = Object.fromEntries(answer.headers);
        // Those of the connection, and of the moment.
        for (const name of ['connection', 'keep-alive', 'transfer-encoding', 'date']) delete headers[name];
        return headers;
      };
      const { 'content-length': told, ...head } = await headersOf('HEAD');
      const { 'content-length': sent, ...got } = await headersOf('GET');
      t.same(head, got, `${path} ${encoding}`);
      t.equal(told === undefined, sent === undefined);
      // Ids are drawn anew, and some can be compressed better than others.
      if (sent !== undefined) t.ok(Math.abs(Number(told) - Number(sent)) < 20, `${told}, ${sent}`);
    }
  }
});

t.test('long answers are compressed for who reads that, and say the same', async (t) => {
  const { app } = build(t);
  for (const url of LONG) {
    const plain = await ask(app, url);
    t.notOk('content-encoding' in plain.headers, url);
    t.equal(plain.headers['vary'], 'accept-encoding');
    for (const [accepted, encoding, decode] of [
      ['gzip', 'gzip', gunzipSync],
      ['br', 'br', brotliDecompressSync],
      ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
      ['br;q=0, gzip;q=0.5', 'gzip', gunzipSync],
    ] as const) {
      const packed = await ask(app, url, { 'accept-encoding': accepted });
      t.equal(packed.headers['content-encoding'], encoding, `${url} ${accepted}`);
      t.equal(Number(packed.headers['content-length']), packed.rawPayload.length);
      t.ok(packed.rawPayload.length * 3 < plain.rawPayload.length);
      t.same(rest(decode(packed.rawPayload)), rest(plain.rawPayload));
      t.equal(packed.headers['etag'], plain.headers['etag']);
    }
    for (const refused of ['identity', 'deflate', 'gzip;q=0'])
      t.notOk('content-encoding' in (await ask(app, url, { 'accept-encoding': refused })).headers, refused);
  }
  const plain = await ask(app, FILE);
  const packed = await ask(app, FILE, { 'accept-encoding': 'gzip' });
  t.ok(gunzipSync(packed.rawPayload).equals(plain.rawPayload));
  t.equal(Number(plain.headers['content-length']), plain.rawPayload.length);
});

t.test('short answers, refusals and what is personal go as they are, without a tag', async (t) => {
  const { app } = build(t);
  const headers = { 'accept-encoding': 'gzip, br', 'if-none-match': '*' };
  t.notOk('content-encoding' in (await ask(app, '/popular', { 'accept-encoding': 'gzip, br' })).headers);
  const payload = { userId: '42', limit: 100 };
  for (const answer of [
    await ask(app, '/recommendations/42?limit=100', headers),
    await app.inject({ method: 'POST', url: '/recommendations', headers, payload }),
    await ask(app, '/items/nothing/similar', headers),
    await ask(app, '/popular?limit=0', headers),
    await ask(app, '/docs/nothing', headers),
  ]) {
    t.not(answer.statusCode, 304);
    t.equal(answer.headers['cache-control'], 'no-store');
    for (const name of ['etag', 'content-encoding']) t.notOk(name in answer.headers, name);
  }
});

t.test('caches that several share keep nothing where credentials are required', async (t) => {
  const { app } = build(t);
  t.equal((await ask(app, '/popular')).headers['cache-control'], 'no-cache');
  const { key, entry } = createApiKey('app', ['read']);
  const closed = build(t, { auth: { mode: 'required', apiKeys: [entry] } }).app;
  const headers = { 'x-api-key': key };
  const answer = await ask(closed, '/popular', headers);
  t.equal(answer.headers['cache-control'], 'private, no-cache');
  const known = { 'if-none-match': answer.headers['etag'] as string };
  t.equal((await ask(closed, '/popular', { ...headers, ...known })).statusCode, 304);
  t.equal((await ask(closed, '/popular', known)).statusCode, 401, 'a tag is no key');
});

t.test('an origin that may read has both in `vary`', async (t) => {
  const origin = 'https://shop.example';
  const { app } = build(t, { cors: { origins: [origin] } });
  const answer = await ask(app, '/popular?limit=100', { origin, 'accept-encoding': 'br' });
  t.equal(answer.headers['vary'], 'Origin, accept-encoding');
});

t.test('the document of the admin listener has a tag, too, and what it changes has not', async (t) => {
  const { admin } = build(t);
  const tag = await etagOf(admin, '/openapi.json');
  t.equal((await ask(admin, '/openapi.json', { 'if-none-match': tag })).statusCode, 304);
  t.notOk('etag' in (await ask(admin, '/bundle')).headers);
});

const folder = t.testdir({ one: {} });
const models = join(folder, 'models');
await createFolderRegistry(models).publish((await writeSmallBundle(join(folder, 'one'))).folder);

t.test('a kept answer has the tag of the one that was computed, and a 304 shows nothing', async (t) => {
  const log = join(t.testdir({}), 'log');
  const impressions = { enabled: true, folder: log };
  const server = await startCachedServer(t, models, { workers: 0, impressions });
  const fetchTag = async (path: string, headers: Headers = {}) => {
    const answer = await fetch(`${server.url}${path}`, { headers });
    return { status: answer.status, cache: answer.headers.get('x-cache'), tag: answer.headers.get('etag')! };
  };
  const ids: string[] = [];
  for (const path of ['/popular', '/items/i001/similar']) {
    const [miss, hit] = [await fetchTag(path, { 'x-request-id': path }), await fetchTag(path)];
    t.match([miss, hit], [{ cache: 'miss' }, { cache: 'hit', tag: miss.tag }], path);
    ids.push(path);
    const known = { 'if-none-match': miss.tag, 'x-request-id': 'known' };
    t.match(await fetchTag(path, known), { status: 304, cache: 'hit', tag: miss.tag });
  }
  await server.stop();
  t.ok(existsSync(log));
  const lines = readdirSync(log).flatMap((name) => readFileSync(join(log, name), 'utf8').trim().split('\n'));
  const logged = lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId);
  t.equal(logged.length, 4);
  t.same(
    ids.filter((id) => !logged.includes(id)),
    [],
  );
  t.notOk(logged.includes('known'));
});

t.test('an override makes another answer of it', async (t) => {
  const server = await startOverridden(t, models, { workers: 0 });
  const before = await fetch(`${server.url}/popular`);
  const [first] = ((await before.json()) as { items: { itemId: string }[] }).items;
  const headers = { 'if-none-match': before.headers.get('etag')! };
  t.equal((await fetch(`${server.url}/popular`, { headers })).status, 304);
  await server.put({ overrides: [{ hide: { items: [first!.itemId] } }] }, '"none"');
  let status = 304;
  for (let attempt = 0; status === 304 && attempt < 100; attempt++) {
    await sleep(20);
    ({ status } = await fetch(`${server.url}/popular`, { headers }));
  }
  t.equal(status, 200);
});

t.test('requests sent at once over one connection are answered in turn, each whole', async (t) => {
  const server = await startCachedServer(t, models, { workers: 0 });
  const tag = (await fetch(`${server.url}/popular`)).headers.get('etag')!;
  const socket = await openSocket(server.url);
  const answers = readAll(socket);
  const lines = (method: string, path: string, more = ''): string =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  socket.write(
    lines('GET', '/popular', `If-None-Match: ${tag}\r\n`).repeat(2) +
      lines('HEAD', '/popular') +
      lines('GET', '/openapi.json', 'Accept-Encoding: gzip\r\n') +
      lines('GET', '/popular', 'Connection: close\r\n'),
  );
  const text = await answers;
  const parts = text.split(/(?=HTTP\/1\.1 \d{3})/);
  t.same(
    parts.map((part) => part.slice(9, 12)),
    ['304', '304', '200', '200', '200'],
  );
  for (const part of parts.slice(0, 3)) t.ok(part.endsWith('\r\n\r\n'), 'no body');
  const [document, popular] = parseAnswers(parts.slice(3).join(''));
  t.match(gunzipSync(Buffer.from(document!.body, 'latin1')).toString(), /"openapi":"3\.1\.1"/);
  t.match(JSON.parse(popular!.body), { scenario: 'popular' });
});
