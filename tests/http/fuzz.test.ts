import fc from 'fast-check';
import t from 'tap';
import { quoteFilterValue } from '../../src/rules/parse-filter.js';
import { openGatedEvents } from '../support/gated-events.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument } from './openapi-validator.js';

// The log would be most of the work here.
const { app } = build(t, { logging: { requestSampleRate: 0 } }, { events: await openGatedEvents(t) });
const document = app.inject('/openapi.json').then((response) => response.json<OpenapiDocument>());
const validator = document.then(createOpenapiValidator);

const RUNS = { numRuns: 400, seed: 20240601 };

/** Any text a client can put between two slashes or after an equals sign: encoded, raw, or broken on purpose. */
const encoded = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...'ab:/?&=%+.,_\u0000\n\u007f\u009b\u202e'.split('')),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    ),
    maxLength: 300,
  })
  .map((text) => encodeURIComponent(Buffer.from(text).toString()));
const raw = fc.stringMatching(/^[!$'()*+,;:@._~%0-9A-Za-z-]{0,40}$/);
const part = fc.oneof(
  encoded,
  raw,
  fc.constantFrom('__proto__', 'constructor', '42', '', '..', '%2e%2e%2f', 'NaN', '-0', '1e9'),
);
const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('limit', 'scenario', 'exclude', 'filter', 'fields', 'context', 'explain'),
  },
  { weight: 1, arbitrary: part },
);
const query = fc
  .array(fc.tuple(key, part), { maxLength: 8 })
  .map((pairs) => pairs.map((pair) => pair.join('=')).join('&'));

async function declaredAnswer(path: string, url: string): Promise<string[]> {
  const response = await app.inject(url);
  if (response.statusCode >= 500) return [`${response.statusCode} for ${url}`];
  // `..` leaves the route: the root sends to the documentation.
  if (response.statusCode === 302) return response.headers['location'] === 'docs' ? [] : [`302 for ${url}`];
  const answer = {
    status: response.statusCode,
    contentType: String(response.headers['content-type']),
    body: response.json<unknown>(),
  };
  return (await validator).problemsOfAnswer((await document).paths[path]!['get']!, answer);
}

t.test('whatever the id and the query, the answer is a declared one and never a fault of ours', async (t) => {
  await fc.assert(
    fc.asyncProperty(part, query, async (id, text) => {
      const problems = await declaredAnswer('/recommendations/{userId}', `/recommendations/${id}?${text}`);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    RUNS,
  );
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is unchanged');
});

t.test('the same holds for similar items', async () => {
  await fc.assert(
    fc.asyncProperty(part, query, async (id, text) => {
      const problems = await declaredAnswer('/items/{itemId}/similar', `/items/${id}/similar?${text}`);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    RUNS,
  );
});

t.test('the same holds for popular items', async () => {
  await fc.assert(
    fc.asyncProperty(query, async (text) => {
      const problems = await declaredAnswer('/popular', `/popular?${text}`);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    RUNS,
  );
});

t.test('the same holds for events, whatever JSON they are', async (t) => {
  const field = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 300 }));
  const name = fc.constantFrom(
    ...'eventId userId sessionId itemId type value timestamp slateId context __proto__'.split(' '),
  );
  const good = fc.constant({ userId: '42', itemId: '318', type: 'click' });
  const changed = fc
    .tuple(good, fc.dictionary(fc.oneof(name, fc.string()), field, { maxKeys: 3 }))
    .map(([event, changes]) => ({ ...event, ...changes }));
  const list = fc.array(fc.oneof(good, changed, field), { maxLength: 4 });
  const body = fc.oneof(
    { weight: 6, arbitrary: list.map((events) => ({ events })) },
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.oneof(fc.constant('events'), fc.string()), fc.oneof(list, field)),
    },
  );
  const operation = (await document).paths['/events']!['post']!;
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(body, async (payload) => {
      const response = await app.inject({
        method: 'POST',
        url: '/events',
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(payload),
      });
      seen.add(response.statusCode);
      const answer = {
        status: response.statusCode,
        contentType: String(response.headers['content-type']),
        body: response.json<unknown>(),
      };
      const problems = (await validator).problemsOfAnswer(operation, answer);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    }),
    RUNS,
  );
  t.same(seen, new Set([202, 400]));
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is unchanged');
});

t.test('the same holds for requests by body, whatever JSON they are', async (t) => {
  const field = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 300 }));
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
  const good = fc.record(
    {
      userId: fc.constantFrom('42', 'nobody', '__proto__'),
      sessionId: fc.constant('v-17'),
      sessionItems: fc.array(fc.constantFrom('1', '2', 'none'), { maxLength: 5 }),
      candidates: fc.array(fc.constantFrom('1', '9', 'none', 'constructor'), { minLength: 1, maxLength: 5 }),
      limit: fc.integer({ min: 1, max: 100 }),
      exclude: fc.array(fc.constantFrom('9', 'none'), { maxLength: 3 }),
      filter: fc.constant(['genres:Drama']),
      fields: fc.array(fc.constantFrom('', 'title', 'title,year', 'genres'), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const name = fc.constantFrom(
    ...'userId sessionId sessionItems candidates limit scenario exclude filter fields context explain timeoutMs __proto__'.split(
      ' ',
    ),
  );
  const changed = fc
    .tuple(good, fc.dictionary(fc.oneof(name, fc.string()), fc.oneof(field, fc.array(text)), { maxKeys: 2 }))
    .map(([body, changes]) => ({ ...body, ...changes }));
  const payloads = fc.oneof(
    { weight: 2, arbitrary: good },
    { weight: 4, arbitrary: changed },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const operation = (await document).paths['/recommendations']!['post']!;
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(payloads, async (payload) => {
      const response = await app.inject({
        method: 'POST',
        url: '/recommendations',
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(payload),
      });
      seen.add(response.statusCode);
      const answer = {
        status: response.statusCode,
        contentType: String(response.headers['content-type']),
        body: response.json<unknown>(),
      };
      const problems = (await validator).problemsOfAnswer(operation, answer);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      // What the document says of bodies is what the server takes, save names that the bundle decides about.
      const { schema } = operation.requestBody!.content['application/json']!;
      const fits = (await validator).problemsOf(schema, payload).length === 0;
      if (fits !== (response.statusCode === 200)) throw new Error(`${response.statusCode}: ${response.body}`);
    }),
    RUNS,
  );
  t.same(seen, new Set([200, 400]));
  t.equal(Object.keys(Object.prototype).length, 0, 'Object.prototype is unchanged');
});

// `.` and `..` are resolved by the client, as parts of the path.
t.test('a query that fits the schema is always answered with 200', async () => {
  const id = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => !/\p{Cc}|^\.{1,2}$/u.test(text));
  const valid = fc.record(
    {
      limit: fc.integer({ min: 1, max: 100 }),
      scenario: fc.constantFrom('home', 'popular'),
      explain: fc.constantFrom('none', 'sources', 'features', 'reasons'),
      exclude: fc.array(id, { maxLength: 20 }),
      filter: fc.array(
        id.map((value) => `genres:${quoteFilterValue(value)}`),
        { maxLength: 5 },
      ),
      fields: fc.array(fc.constantFrom('', 'title', 'title,year', 'genres'), { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(id, valid, async (userId, params) => {
      const pairs = Object.entries(params).flatMap(([name, value]) =>
        [value].flat().map((each) => `${name}=${encodeURIComponent(each)}`),
      );
      const url = `/recommendations/${encodeURIComponent(userId)}?${pairs.join('&')}`;
      const response = await app.inject(url);
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${response.body}`);
      const { items } = response.json<{ items: { itemId: string }[] }>();
      if (items.length > (params.limit ?? 10)) throw new Error('more items than asked for');
      if (items.some(({ itemId }) => params.exclude?.includes(itemId))) throw new Error('an excluded item');
    }),
    RUNS,
  );
});
