import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { PUBLIC_CODES } from '../../src/http/schemas/problem.js';
import { openGatedEvents } from '../support/gated-events.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument, type Operation } from './openapi-validator.js';

async function buildDocument(t: Test) {
  const { app } = build(t, {}, { events: await openGatedEvents(t) });
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
      'post /recommendations',
      'post /rank',
      'get /items/{itemId}/similar',
      'get /popular',
      'post /events',
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
    t.ok((responses['200'] ?? responses['202']) && responses['default'], name);
    for (const [status, { content }] of Object.entries(responses)) {
      t.equal(content === undefined, status === '304', `${name} ${status}`);
      for (const [type, { schema, examples }] of Object.entries(content ?? {})) {
        t.equal(type, status.startsWith('2') ? 'application/json' : 'application/problem+json');
        t.type(validator.compile(schema), 'function');
        t.ok(Object.keys(examples!).length > 0, `${name} ${status} has an example`);
        for (const [example, { value }] of Object.entries(examples!)) {
          t.strictSame(validator.problemsOf(schema, value), [], `${name} ${status} ${example}`);
        }
      }
    }
  }
});

t.test('every parameter and every body has an example that fits it', async (t) => {
  const { operations, validator } = await buildDocument(t);
  for (const [name, { parameters = [], requestBody }] of operations) {
    for (const { schema, examples } of Object.values(requestBody?.content ?? {})) {
      t.ok(Object.keys(examples!).length > 0, name);
      for (const { value } of Object.values(examples!))
        t.strictSame(validator.problemsOf(schema, value), [], name);
    }
    for (const { name: parameter, schema, example, examples } of parameters) {
      // Only an answer has one.
      if (parameter === 'cursor') continue;
      const values = examples === undefined ? [example] : Object.values(examples).map(({ value }) => value);
      for (const value of values)
        t.strictSame(validator.problemsOf(schema, value), [], `${name} ${parameter}`);
    }
  }
});

t.test('answers are open to what a minor release may add, requests are not', async (t) => {
  const { app } = build(t, {}, { events: await openGatedEvents(t) });
  const documents = [app, build(t).admin].map(async (listener) =>
    (await listener.inject('/openapi.json')).json<OpenapiDocument>(),
  );
  for (const document of await Promise.all(documents)) {
    const validator = createOpenapiValidator(document);
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { responses }] of Object.entries(methods)) {
        for (const [status, { content }] of Object.entries(responses)) {
          for (const { schema, examples } of Object.values(content ?? {})) {
            for (const { value } of Object.values(examples!)) {
              const problems = validator.problemsOf(schema, extend(value));
              t.same(problems, [], `${method} ${path} ${status}`);
            }
          }
        }
      }
    }
    const text = JSON.stringify(document.components.schemas);
    t.notMatch(text, /"enum"|"additionalProperties":false|"const"/);
  }
  for (const query of ['explain=everything', 'colour=red', 'timeoutMs=0']) {
    t.equal((await app.inject(`/recommendations/42?${query}`)).statusCode, 400, query);
  }
});

/** The names whose values are enumerated, save those of maps, which any value fits. */
const ENUMERATED = ['code', 'strategy', 'status', 'release', 'state', 'reason'];

/** An answer of a later release: with another field in every object, and values that this release does not know. */
function extend(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((entry) => extend(entry));
  if (typeof value === 'string' && ENUMERATED.includes(name)) return 'one-that-came-later';
  // Of these two the dataset says what they hold.
  if (typeof value !== 'object' || value === null || ['attributes', 'features'].includes(name)) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, extend(entry, key)]);
  return { ...Object.fromEntries(entries), addedLater: { of: ['any', 'kind'] } };
}

t.test('the known values stand in the document all the same', async (t) => {
  const { document } = await buildDocument(t);
  const { Problem, RecommendationsAnswer } = document.components.schemas;
  t.match(Problem, { properties: { code: { type: 'string', 'x-extensible-enum': [...PUBLIC_CODES] } } });
  t.match(RecommendationsAnswer, {
    properties: {
      strategy: {
        'x-extensible-enum': ['personalised', 'cold-start'],
        description: /Known values: `personalised`, `cold-start`/,
      },
    },
  });
});

t.test('credentials are described where they are required and where they are not', async (t) => {
  const { document } = await buildDocument(t);
  t.match(document, {
    security: [{}, { apiKey: [] }, { bearer: [] }],
    components: { securitySchemes: { apiKey: { in: 'header' }, bearer: { scheme: 'bearer' } } },
  });
});

t.test('the recommended rules of Redocly find no error in any document', async (t) => {
  const { app, admin, service } = build(t, {}, { events: await openGatedEvents(t) });
  const files: Record<string, string> = {};
  const keep = async (name: string, listener: typeof app) => {
    files[name] = (await listener.inject('/openapi.json')).body;
  };
  await keep('served.json', app);
  await keep('admin.json', admin);
  service.bundle = undefined;
  await keep('any.json', app);
  const dir = t.testdir(files);
  for (const name of [...Object.keys(files).map((file) => join(dir, file)), 'client/openapi.json']) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/@redocly/cli/bin/cli.js', 'lint', '--extends=recommended', '--format=json', name],
      {
        encoding: 'utf8',
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    );
    t.equal(status, 0, `${name}: ${stdout}${stderr}`.slice(0, 2000));
  }
});

t.test('the admin listener has a document of its own, by the same switch', async (t) => {
  const { admin } = build(t);
  const document = (await admin.inject('/openapi.json')).json<OpenapiDocument>();
  t.strictSame(Object.keys(document.paths), [
    '/metrics',
    '/bundle',
    '/bundle/reload',
    '/views/{view}/rows',
    '/users/{userId}',
    '/overrides',
    '/inspect',
    '/items',
  ]);
  const validator = createOpenapiValidator(document);
  for (const [method, url, path = url] of [
    ['GET', '/bundle'],
    ['POST', '/bundle/reload'],
    ['POST', '/views/nothing/rows', '/views/{view}/rows'],
  ] as const) {
    const payload = path === '/views/{view}/rows' ? { payload: { rows: [{}] } } : {};
    const response = await admin.inject({ method, url, ...payload });
    const answer = {
      status: response.statusCode,
      contentType: String(response.headers['content-type']),
      body: response.json<unknown>(),
    };
    const operation = document.paths[path]![method.toLowerCase()]!;
    t.strictSame(validator.problemsOfAnswer(operation, answer), [], url);
  }
  const shut = build(t, { docs: { enabled: false } }).admin;
  t.equal((await shut.inject('/openapi.json')).statusCode, 404);
});

t.test('/ leads to the documentation, where there is some, also below a path of a proxy', async (t) => {
  const { app } = build(t);
  const response = await app.inject('/');
  t.match(response, { statusCode: 302, headers: { location: 'docs' } });
  t.equal(new URL('docs', 'http://shop.example/shortlist/').pathname, '/shortlist/docs');
  const shut = build(t, { docs: { enabled: false } }).app;
  t.match((await shut.inject('/')).json(), { status: 404, code: 'ROUTE_NOT_FOUND' });
});

t.test('the documented defaults are the ones in force, and optional', async (t) => {
  const { app, document } = await buildDocument(t);
  const { parameters } = document.paths['/recommendations/{userId}']!['get']!;
  const defaults = parameters!.map(({ name, schema }) => [name, (schema as { default?: unknown }).default]);
  t.strictSame(Object.fromEntries(defaults), {
    limit: 10,
    scenario: 'home',
    sessionId: undefined,
    exclude: undefined,
    filter: undefined,
    fields: undefined,
    context: undefined,
    explain: 'none',
    cursor: undefined,
    userId: undefined,
    timeoutMs: undefined,
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
      Object.keys(content?.['application/problem+json']?.examples ?? {}),
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
