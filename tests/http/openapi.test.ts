import t, { type Test } from 'tap';
import { PUBLIC_CODES } from '../../src/http/schemas/problem.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument, type Operation } from './openapi-validator.js';

async function buildDocument(t: Test) {
  const { app } = build(t);
  const response = await app.inject('/openapi.json');
  t.match(response.headers['content-type'], 'application/json');
  const document = response.json<OpenapiDocument>();
  const operations: [string, Operation][] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) => [`${method} ${path}`, operation] as [string, Operation],
    ),
  );
  return { app, document, operations, validator: createOpenapiValidator(document) };
}

t.test('the document is OpenAPI 3.1 and has every public operation once', async (t) => {
  const { document, operations } = await buildDocument(t);
  t.match(document.openapi, /^3\.1\.\d+$/);
  t.match(document.info.version, /^\d+\.\d+\.\d+$/);
  t.strictSame(
    operations.map(([name]) => name),
    [
      'get /recommendations/{userId}',
      'get /items/{itemId}/similar',
      'get /popular',
      'get /live',
      'get /ready',
    ],
  );
  t.equal(new Set(operations.map(([, { operationId }]) => operationId)).size, operations.length);
});

t.test('components have names, and every reference leads to one', async (t) => {
  const { document } = await buildDocument(t);
  const names = Object.keys(document.components.schemas);
  t.strictSame(
    names.filter((name) => name.startsWith('def-')),
    [],
  );
  const references = JSON.stringify(document).match(/"\$ref":"[^"]+"/g)!;
  for (const reference of new Set(references)) {
    t.ok(names.includes(/#\/components\/schemas\/(\w+)"$/.exec(reference)![1]!), reference);
  }
});

t.test('every response has a schema that compiles and examples that fit it', async (t) => {
  const { operations, validator } = await buildDocument(t);
  for (const [name, { responses }] of operations) {
    t.ok(responses['200'] && responses['default'], name);
    for (const [status, { content }] of Object.entries(responses)) {
      for (const [type, { schema, examples }] of Object.entries(content)) {
        t.equal(type, status === '200' ? 'application/json' : 'application/problem+json');
        t.type(validator.compile(schema), 'function');
        t.ok(Object.keys(examples!).length > 0, `${name} ${status} has an example`);
        for (const [example, { value }] of Object.entries(examples!)) {
          t.strictSame(validator.problemsOf(schema, value), [], `${name} ${status} ${example}`);
        }
      }
    }
  }
});

t.test('every parameter has an example that fits it', async (t) => {
  const { operations, validator } = await buildDocument(t);
  for (const [name, { parameters = [] }] of operations) {
    for (const { name: parameter, schema, example, examples } of parameters) {
      const values = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value);
      for (const value of values)
        t.strictSame(validator.problemsOf(schema, value), [], `${name} ${parameter}`);
    }
  }
});

t.test('the documented defaults are the ones in force, and optional', async (t) => {
  const { app, document } = await buildDocument(t);
  const { parameters } = document.paths['/recommendations/{userId}']!['get']!;
  const defaults = parameters!.map(({ name, schema }) => [name, (schema as { default?: unknown }).default]);
  t.strictSame(Object.fromEntries(defaults), {
    limit: 10,
    scenario: 'home',
    exclude: undefined,
    filter: undefined,
    context: undefined,
    explain: 'none',
    userId: undefined,
    'x-request-timeout-ms': undefined,
  });
  const answer = (await app.inject('/recommendations/42')).json<{
    items: { sources?: unknown }[];
    scenario: string;
  }>();
  t.equal(answer.items.length, 10);
  t.equal(answer.scenario, 'home');
  t.equal(answer.items[0]!.sources, undefined);
});

t.test('the codes of the examples are exactly the codes of the schema', async (t) => {
  const { operations } = await buildDocument(t);
  const shown = operations.flatMap(([, { responses }]) =>
    Object.values(responses).flatMap(({ content }) =>
      Object.keys(content['application/problem+json']?.examples ?? {}),
    ),
  );
  t.strictSame([...new Set(shown)].sort(), [...PUBLIC_CODES].sort());
});

t.test('answers are what the document says of them', async (t) => {
  const { app, document, validator } = await buildDocument(t);
  const cases: readonly [string, string][] = [
    ['/recommendations/{userId}', '/recommendations/42?limit=100&explain=features'],
    ['/recommendations/{userId}', '/recommendations/nobody?limit=1'],
    ['/recommendations/{userId}', '/recommendations/42?limit=0'],
    ['/items/{itemId}/similar', '/items/7/similar?explain=sources'],
    ['/items/{itemId}/similar', '/items/nothing/similar'],
    ['/popular', '/popular?filter=genres:Comedy'],
    ['/popular', '/popular?filter=year:1999'],
    ['/live', '/live'],
    ['/ready', '/ready'],
  ];
  for (const [path, url] of cases) {
    const response = await app.inject(url);
    const answer = {
      status: response.statusCode,
      contentType: String(response.headers['content-type']),
      body: response.json<unknown>(),
    };
    t.strictSame(validator.problemsOfAnswer(document.paths[path]!['get']!, answer), [], url);
  }
});

t.test('with docs.enabled false neither the document nor its page is served', async (t) => {
  const { app } = build(t, { docs: { enabled: false } });
  for (const url of ['/docs', '/docs/static/index.html', '/openapi.json']) {
    t.match((await app.inject(url)).json(), { status: 404, code: 'ROUTE_NOT_FOUND' });
  }
});

t.test('/docs is a page that loads nothing from elsewhere', async (t) => {
  const { app } = build(t);
  const response = await app.inject('/docs');
  t.equal(response.statusCode, 200);
  t.match(response.headers['content-type'], 'text/html');
  t.match(response.headers['content-security-policy'], "default-src 'self'");
  t.notMatch(
    response.headers['content-security-policy'],
    'upgrade-insecure-requests',
    'plain HTTP must work',
  );
  t.notMatch(response.body, /(src|href)="https?:/);
});

t.test(
  'a file that /docs does not have is a problem like any other, and no path leads out of it',
  async (t) => {
    const { app } = build(t);
    for (const url of [
      '/docs/static/nothing.js',
      '/docs/static/..%2f..%2fpackage.json',
      '/docs/static/%2e%2e/index.js',
    ]) {
      const response = await app.inject(url);
      t.match(response.headers['content-type'], 'application/problem+json');
      t.match(response.json(), { status: 404, code: 'ROUTE_NOT_FOUND' });
    }
  },
);
