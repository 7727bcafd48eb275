import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { until } from '../overrides/override-store-contract.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument } from './openapi-validator.js';

interface Body {
  readonly version: string;
  readonly document: object;
  readonly problems: readonly string[];
  readonly code: string;
  readonly detail: string;
}

function setUp(t: Test, changes: Parameters<typeof build>[1] = {}) {
  const file = join(mkdtempSync(join(tmpdir(), 'overrides-')), 'overrides.yaml');
  t.teardown(() => rmSync(dirname(file), { recursive: true }));
  const built = build(t, { overrides: { file, pollMs: 100 }, ...changes });
  const ask = async (
    method: 'GET' | 'PUT',
    headers: Record<string, string> = {},
    payload?: string | object,
  ) => {
    const answer = await built.admin.inject({
      method,
      url: '/overrides',
      headers,
      ...(payload !== undefined && { payload }),
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json<Body>() };
  };
  return {
    ...built,
    file,
    read: (headers: Record<string, string> = {}) => ask('GET', headers),
    put: (payload: string | object, headers: Record<string, string> = { 'if-match': '*' }) =>
      ask('PUT', { 'content-type': 'application/json', ...headers }, payload),
  };
}

const HIDING = { why: 'recall', overrides: [{ hide: { items: ['7'] }, why: 'sold out' }] };

t.test(
  'a document that is put is answered with its version, kept, and logged with who and why',
  async (t) => {
    const key = createApiKey('product-team', ['admin']);
    const { settings } = build(t);
    const { put, read, file, readLog, admin } = setUp(t, {
      auth: { ...settings.auth, mode: 'required', apiKeys: [key.entry] },
    });
    const authorization = `Bearer ${key.key}`;
    const answer = await put(HIDING, { authorization, 'if-match': '"none"' });
    t.match(answer, {
      status: 200,
      headers: { etag: `"${answer.body.version}"`, 'cache-control': 'no-store' },
      body: { document: HIDING, warnings: [], ineffective: [], problems: [] },
    });
    t.match(readFileSync(file, 'utf8'), 'why: recall');
    t.match(
      readLog().filter(({ msg }) => msg === 'overrides replaced'),
      [{ client: 'product-team', why: 'recall', before: 'none', after: answer.body.version, entries: 1 }],
    );
    t.same((await read({ authorization })).body, answer.body);
    t.equal((await read()).status, 401, 'nobody reads it without the right');
    const metrics = (await admin.inject({ url: '/metrics', headers: { authorization } })).body;
    t.match(metrics, 'shortlist_overrides 1');
    t.match(metrics, 'shortlist_overrides_up 1');
  },
);

t.test('only who has the scope admin reads or changes it, and no page of another origin', async (t) => {
  const keys = (['read', 'write', 'metrics'] as const).map((scope) => createApiKey(scope, [scope]));
  const { settings } = build(t);
  const { put, read, file } = setUp(t, {
    auth: { ...settings.auth, mode: 'required', apiKeys: keys.map(({ entry }) => entry) },
  });
  for (const { key } of keys) {
    t.equal((await read({ 'x-api-key': key })).status, 403);
    t.equal((await put(HIDING, { 'x-api-key': key, 'if-match': '*' })).status, 403);
  }
  t.notOk(existsSync(file));
  const open = setUp(t);
  const elsewhere = { 'if-match': '*', origin: 'https://elsewhere.example' };
  t.match(await open.put(HIDING, elsewhere), { status: 403, body: { code: 'CROSS_SITE' } });
});

t.test('a change without a body, of no type, is refused', async (t) => {
  const { admin } = setUp(t);
  const { statusCode, body } = await admin.inject({
    method: 'PUT',
    url: '/overrides',
    headers: { 'if-match': '*' },
  });
  t.match([statusCode, body], [400, /The body is missing: send the document as JSON\./]);
});

t.test('If-Match must be there, and be the version that is there', async (t) => {
  const { put, read } = setUp(t);
  t.match(await put(HIDING, {}), {
    status: 400,
    body: {
      code: 'INVALID_REQUEST',
      detail: 'If-Match is missing: send the ETag of GET /overrides in it, or * for whatever is there.',
    },
  });
  for (const wrong of ['none', '"a', '"a" "b"', ''])
    t.match(
      await put(HIDING, { 'if-match': wrong }),
      { status: 400, body: { detail: /^If-Match is .*quotation marks/ } },
      wrong,
    );
  const first = (await put(HIDING, { 'if-match': '"none"' })).headers['etag'] as string;
  for (const other of ['"none"', '"*"', `W/${first}`, '"a", "b"'])
    t.match(
      await put({ overrides: [] }, { 'if-match': other }),
      { status: 412, body: { code: 'OVERRIDES_CHANGED' } },
      other,
    );
  t.equal((await read()).headers['etag'], first);
  t.equal((await put({ overrides: [] }, { 'if-match': `"a", ${first}` })).status, 200);
});

t.test('of two puts at once with one If-Match one is 412', async (t) => {
  const { put } = setUp(t);
  const headers = { 'if-match': '"none"' };
  const answers = await Promise.all(
    ['1', '2'].map((id) => put({ overrides: [{ hide: { items: [id] } }] }, headers)),
  );
  t.same(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, 412],
  );
});

t.test('a wrong document is 400 with all that is wrong, and changes nothing', async (t) => {
  const { put, read, file } = setUp(t);
  const { body } = await put(
    {
      reason: 'x',
      overrides: [
        { hide: { items: [7], when: { scenario: 'home' } } },
        { pin: { item: '7', position: 0 } },
        { boost: { strength: 2, items: ['7'] }, why: '' },
        { cap: { attribute: 'brand', most: 1, in: 2 } },
        null,
        { hide: { items: ['7'], when: { scenario: ['nowhere'] } } },
        { pin: { item: '7', position: 1, from: '2026-03-02T00:00:00Z', until: '2026-03-01T00:00:00Z' } },
      ],
    },
    { 'if-match': '*' },
  );
  t.equal(body.code, 'INVALID_REQUEST');
  for (const says of [
    'reason is unknown; known are why, overrides',
    'overrides.0.hide.items.0 is 7',
    'overrides.0.hide.when.scenario is "home"',
    'overrides.1.pin.position is 0, allowed is',
    'overrides.2.boost.strength is 2',
    'overrides.2: why is ""',
    'overrides.3 is {"cap"',
    'overrides.4 is null',
    'overrides.5.hide.when.scenario.0 is "nowhere", which is unknown; known are home, popular, similar',
    'overrides.6.pin.from is "2026-03-02T00:00:00Z", allowed is a time before until',
  ])
    t.match(body.detail, says);
  for (const wrong of ['[]', 'null', '"a"', '{}', '{"overrides": {}}', '{"__proto__": 1, "overrides": []}'])
    t.match(await put(wrong), { status: 400, body: { code: 'INVALID_REQUEST' } }, wrong);
  t.match(await put('overrides: []'), { status: 400 });
  t.match(await put('overrides: []', { 'if-match': '*', 'content-type': 'application/yaml' }), {
    status: 415,
  });
  t.equal((await read()).body.version, 'none');
  t.notOk(existsSync(file));
});

t.test('a thousand wrong entries are told of by the first hundred', async (t) => {
  const { put } = setUp(t);
  const { status, body } = await put({ overrides: Array.from({ length: 1000 }, () => ({ hide: {} })) });
  t.equal(status, 400);
  t.match(body.detail, /overrides\.99\.hide names no items[^]*and 900 more$/);
});

t.test(
  'a document that is too large is refused, and one that is just small enough can be read again',
  async (t) => {
    const { put, file } = setUp(t);
    const sized = (bytes: number): string => {
      const text = JSON.stringify({
        overrides: Array.from({ length: 900 }, (_, at) => ({ hide: { items: [`${at}`] }, why: 'x' })),
      });
      return text.replace('"x"', `"x"${' '.repeat(bytes - text.length)}`);
    };
    t.match(await put(sized(1_048_577)), {
      status: 413,
      body: { code: 'PAYLOAD_TOO_LARGE', detail: /1048576 bytes/ },
    });
    const many = {
      overrides: Array.from({ length: 100 }, (_, at) => ({
        hide: { items: Array.from({ length: 830 }, (_each, id) => `${at * 10_000 + id}`) },
      })),
    };
    const answer = await put(JSON.stringify(many));
    t.equal(answer.status, 200, `${JSON.stringify(many).length} bytes`);
    t.ok(readFileSync(file).length <= 1_048_576);
  },
);

t.test('a query, which does nothing, is refused', async (t) => {
  const { admin } = setUp(t);
  const headers = { 'if-match': '*', 'content-type': 'application/json' };
  const put = await admin.inject({
    method: 'PUT',
    url: '/overrides?dryRun=1',
    headers,
    payload: { overrides: [] },
  });
  t.match([put.statusCode, put.body], [400, /dryRun/]);
  t.equal((await admin.inject('/overrides?at=1')).statusCode, 400);
});

t.test('without a bundle a document cannot be checked: it is read, and not changed', async (t) => {
  const { put, read, service } = setUp(t);
  service.bundle = undefined;
  t.match(await put(HIDING), { status: 503, body: { code: 'NOT_READY' } });
  t.match(await read(), { status: 200, body: { version: 'none' } });
});

t.test(
  'a folder that is read-only is 503, with what to look at; the log and the metrics tell of a wrong file',
  async (t) => {
    const { put, read, file, readLog, admin } = setUp(t);
    chmodSync(dirname(file), 0o555);
    const isRoot = process.geteuid!() === 0;
    if (isRoot) process.seteuid!(65_534);
    const refused = await put(HIDING);
    if (isRoot) process.seteuid!(0);
    chmodSync(dirname(file), 0o755);
    t.match(refused, {
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'OVERRIDES_UNAVAILABLE', detail: /overrides\.yaml cannot be written \(EACCES\)/ },
    });
    writeFileSync(file, 'overrides: [\n');
    const isTold = (msg: string): boolean => readLog().some((line) => line['msg'] === msg);
    await until(() => isTold('the overrides are wrong or cannot be read: those of before stay in force'));
    t.match((await read()).body.problems, [/overrides\.yaml: /]);
    t.match((await admin.inject('/metrics')).body, 'shortlist_overrides_up 0');
    writeFileSync(file, 'overrides: []\n');
    await until(() => isTold('the overrides are right again'));
    t.match((await admin.inject('/metrics')).body, 'shortlist_overrides_up 1');
    t.equal(
      readLog().filter(({ level }) => level === 'error').length,
      2,
      'one for the put, one for the file',
    );
  },
);

t.test('the OpenAPI document describes both methods, and what it shows passes', async (t) => {
  const { admin, put } = setUp(t);
  const document = (await admin.inject('/openapi.json')).json<OpenapiDocument>();
  const validator = createOpenapiValidator(document);
  const { get, put: operation } = document.paths['/overrides']!;
  const example = Object.values(get!.responses['200']!.content!['application/json']!.examples!)[0]!
    .value as Body;
  const sent = await put({ overrides: [], why: 'none' });
  const contentType = 'application/json';
  t.same(validator.problemsOfAnswer(operation!, { status: 200, contentType, body: sent.body }), []);
  const shown = await put(example.document);
  t.equal(shown.status, 200, 'the example can be put');
  t.same(validator.problemsOfAnswer(get!, { status: 200, contentType, body: shown.body }), []);
  t.same(validator.problemsOf(operation!.requestBody!.content[contentType]!.schema, example.document), []);
});
