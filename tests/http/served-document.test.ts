import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { RequestExamples } from '../../src/serving/request-examples.js';
import { startCachedServer } from '../support/cached-server.js';
import { openGatedEvents } from '../support/gated-events.js';
import { publishContextBundle } from '../support/context-bundle.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument, type Parameter } from './openapi-validator.js';

async function readDocument(url: string) {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenapiDocument;
  t.same(await (await fetch(`${url}/docs/json`)).json(), document, '/docs shows the same document');
  return document;
}

function examplesOf({ example, examples = {} }: Parameter): unknown[] {
  const named = Object.values(examples).map(({ value }) => value);
  return example === undefined ? named : [example, ...named];
}

/** The URL of a route with one value for each of these parameters. */
function writeUrl(path: string, given: readonly (readonly [Parameter, unknown])[]): string {
  const query = new URLSearchParams();
  let written = path;
  for (const [{ name, in: place }, value] of given) {
    if (place === 'path') written = written.replace(`{${name}}`, encodeURIComponent(String(value)));
    if (place === 'query') for (const one of [value].flat()) query.append(name, String(one));
  }
  return `${written}?${query.toString()}`;
}

/** One request with the first example of every parameter, as /docs fills them in, and one with each of the others. */
function listRequests(document: OpenapiDocument): string[] {
  return Object.entries(document.paths).flatMap(([path, { get }]) => {
    if (get === undefined) return [];
    const parameters = get.parameters ?? [];
    const firsts = parameters.flatMap((parameter) =>
      examplesOf(parameter)
        .slice(0, 1)
        .map((value) => [parameter, value] as const),
    );
    const others = parameters.flatMap((parameter) =>
      examplesOf(parameter).map((value) =>
        writeUrl(path, [...firsts.filter(([{ in: place }]) => place === 'path'), [parameter, value]]),
      ),
    );
    return [writeUrl(path, firsts), ...others];
  });
}

const dir = t.testdir({});
const registry = join(dir, 'models');
const first = await publishContextBundle(registry, { year: 'year', seed: 5 });

async function start(t: Test) {
  return startCachedServer(t, registry, {
    workers: 0,
    cache: { enabled: false },
    events: await openGatedEvents(t),
  });
}

async function post(url: string, body: unknown, path = '/recommendations') {
  return ask(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function ask(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init);
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, contentType: response.headers.get('content-type')!, body };
}

t.test(
  'whatever /docs offers is answered with 200, of the bundle that serves, after a swap too',
  async (t) => {
    const server = await start(t);
    const before = await checkRequests(t, server.url, first.version);
    t.match(filterPattern(before), 'year');
    const second = await publishContextBundle(registry, { year: 'decade', seed: 6 });
    await server.reload();
    const after = await checkRequests(t, server.url, second.version);
    t.match(filterPattern(after), 'decade');
    t.notMatch(JSON.stringify(after), first.version);
  },
);

/** Asks whatever the document has examples for. */
async function checkRequests(t: Test, url: string, version: string): Promise<OpenapiDocument> {
  const document = await readDocument(url);
  const validator = createOpenapiValidator(document);
  const requests = listRequests(document);
  t.ok(requests.length > 30, `${requests.length} requests`);
  for (const request of requests) {
    const answer = await ask(url + request);
    t.equal(answer.status, 200, request);
    const path = Object.keys(document.paths).find((one) => matches(one, request))!;
    t.same(validator.problemsOfAnswer(document.paths[path]!['get']!, answer), [], request);
  }
  const { content } = document.paths['/events']!['post']!.requestBody!;
  for (const { value } of Object.values(content['application/json']!.examples!)) {
    const answer = await fetch(`${url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    });
    t.equal(answer.status, 202, JSON.stringify(value));
    t.match(JSON.stringify(value), /"itemId":"i\d+"/, 'an item of the bundle');
    await answer.arrayBuffer();
  }
  const bodies = ['/recommendations', '/rank'].flatMap((path) => {
    const operation = document.paths[path]!['post']!;
    const { examples } = operation.requestBody!.content['application/json']!;
    return Object.values(examples!).map(({ value }) => ({ path, operation, value }));
  });
  t.ok(bodies.length > 5);
  for (const { path, operation, value } of bodies) {
    const answer = await post(url, value, path);
    t.equal(answer.status, 200, `${path} ${JSON.stringify(value)}`);
    t.same(validator.problemsOfAnswer(operation, answer), []);
    const { candidates, sessionItems = [] } = value as { candidates?: string[]; sessionItems?: string[] };
    for (const id of [...(candidates ?? []), ...sessionItems]) t.match(id, /^i\d+$/, 'an item of the bundle');
    const { items, dropped = [] } = answer.body as { items: object[]; dropped?: { reason: string }[] };
    if (candidates !== undefined) t.equal(items.length + dropped.length, candidates.length);
    for (const { reason } of dropped) t.equal(reason, 'ineligible', 'it is known');
  }
  const { body } = await ask(url + requests[0]!);
  t.match(body, { strategy: 'personalised', bundle: version, degraded: [] });
  t.match(JSON.stringify(document), version, 'the examples of answers are of this bundle');
  return document;
}

function matches(path: string, request: string): boolean {
  const pattern = path.replace(/\{\w+\}/, '[^/]+');
  return new RegExp(`^${pattern}\\?`).test(request);
}

function parameterOf(document: OpenapiDocument, name: string): Parameter {
  const { parameters } = document.paths['/recommendations/{userId}']!['get']!;
  return parameters!.find((parameter) => parameter.name === name)!;
}

function bodyOf(document: OpenapiDocument): object {
  return document.paths['/recommendations']!['post']!.requestBody!.content['application/json']!.schema;
}

function filterPattern(document: OpenapiDocument): string {
  return (parameterOf(document, 'filter').schema as { items: { pattern: string } }).items.pattern;
}

t.test('what the document says of filters, context and scenarios is what the server takes', async (t) => {
  const server = await start(t);
  const document = await readDocument(server.url);
  const validator = createOpenapiValidator(document);
  const year = /year|decade/.exec(filterPattern(document))![0];
  const cases: [name: string, texts: string[], isTaken: boolean][] = [
    ['filter', ['genres:sport'], true],
    ['filter', ['genres:sport', 'genres:news', `${year}:1991`], true],
    ['filter', ['genres:no such: value'], true],
    ['filter', ['colour:red'], false],
    ['filter', ['title:Title 1'], false],
    ['filter', ['xgenres:sport'], false],
    ['filter', ['genres:sport', 'colour:red'], false],
    ['filter', ['genres:!sport'], true],
    ['filter', ['genres:*', 'genres:!*'], true],
    ['filter', ['genres:"<3"'], true],
    ['filter', ['genres:<3'], false],
    ['filter', ['genres:!!sport'], false],
    ['filter', [`${year}:<1991`], true],
    ['filter', [`${year}:>=1991`, `${year}:!1995`, `${year}:*`], true],
    ['filter', [`${year}:1990..1995`, `${year}:..1980`, `${year}:-1.5e3..`], true],
    ['filter', [`${year}:recent`], false],
    ['filter', [`${year}:<`], false],
    ['filter', [`${year}:..`], false],
    ['filter', [`${year}:< 1991`], false],
    ['filter', [`${year}:0x7c7`], false],
    ['filter', [`${year}:>=2000-01-01`], false],
    ['fields', ['title'], true],
    ['fields', ['title,genres'], true],
    ['fields', ['title', 'genres'], true],
    ['fields', [''], true],
    ['fields', ['colour'], false],
    ['fields', ['title, genres'], false],
    ['fields', ['title,'], false],
    ['fields', [','], false],
    ['fields', ['title', '__proto__'], false],
    ['filter', ['genres:'], false],
    ['filter', ['genres'], false],
    ['context', ['hour:0'], true],
    ['context', ['hour:23', 'weekday:7', 'device:mobile', 'basket (€):-1.5'], true],
    ['context', ['device:a fridge'], true],
    ['context', ['hour:24'], false],
    ['context', ['weekday:0'], false],
    ['context', ['basket (€):many'], false],
    ['context', ['basket €:1'], false],
    ['context', ['devise:mobile'], false],
    ['context', ['device:mobile', 'device:mobile'], false],
    ['context', ['device:mobile', 'hour:3', 'device:desk: top'], false],
    ['scenario', ['home'], true],
    ['scenario', ['hone'], false],
  ];
  for (const [name, texts, isTaken] of cases) {
    const { schema } = parameterOf(document, name);
    const value = name === 'scenario' ? texts[0] : texts;
    const query = texts.map((text) => `${name}=${encodeURIComponent(text)}`).join('&');
    t.equal(validator.problemsOf(schema, value).length === 0, isTaken, `the document on ${query}`);
    const { status } = await ask(`${server.url}/recommendations/u1?${query}`);
    t.equal(status, isTaken ? 200 : 400, query);
    const asked = { userId: 'u1', [name]: value };
    const isFitting = validator.problemsOf(bodyOf(document), asked).length === 0;
    t.equal(isFitting, isTaken, `the document on a body with ${query}`);
    t.equal((await post(server.url, asked)).status, isTaken ? 200 : 400, `a body with ${query}`);
  }
});

const NOTHING: RequestExamples = { userIds: [], items: [], filters: [], shown: [], contextFields: [] };

/** The examples of the parameters of `GET /recommendations/{userId}`, by name, over a bundle that has these. */
async function showExamples(t: Test, examples: Partial<RequestExamples>) {
  const { app, service } = build(t);
  service.requestExamples = { ...NOTHING, ...examples };
  const document = (await app.inject('/openapi.json')).json<OpenapiDocument>();
  const shown = Object.values(document.paths).flatMap(({ get }) =>
    (get?.parameters ?? []).map((parameter) => [parameter.name, examplesOf(parameter)] as const),
  );
  return Object.fromEntries(shown);
}

t.test('what a request cannot say is no example', async (t) => {
  const items = (...ids: string[]) => ids.map((itemId) => ({ itemId, attributes: {} }));
  const odd = ['.', '..', 'a\u0000b', 'x'.repeat(300), '\ud800', ''];
  t.match(await showExamples(t, { userIds: [...odd, 'ünï/cödé ?#'] }), { userId: ['ünï/cödé ?#'] });
  t.match(await showExamples(t, { items: items(...odd, '%2F', 'b', 'c') }), {
    itemId: ['%2F'],
    exclude: [[], ['b', 'c']],
  });
  t.match(
    await showExamples(t, {
      filters: [
        { attribute: 'a:b', kind: 'text', values: ['x'] },
        {
          attribute: 'genres',
          kind: 'text',
          values: ['new\nline', 'y'.repeat(600), 'Sci-Fi: Classic', '<3'],
        },
      ],
    }),
    {
      filter: [
        [],
        ['genres:Sci-Fi: Classic'],
        ['genres:Sci-Fi: Classic', 'genres:"<3"'],
        ['genres:!Sci-Fi: Classic'],
      ],
    },
  );
  t.match(
    await showExamples(t, {
      contextFields: [
        { name: 'a:b', type: 'hour' },
        { name: 'device', type: 'categorical', values: ['tab\tlet'] },
        { name: 'hour', type: 'hour' },
      ],
    }),
    { context: [[], ['hour:20']] },
  );
  t.match(await showExamples(t, {}), {
    userId: [],
    itemId: [],
    exclude: [[]],
    filter: [[]],
    fields: [[]],
    context: [[]],
  });
});

t.test(
  'a document that everybody may read, where requests need credentials, names no user, item or value',
  async (t) => {
    const apiKeys = [`app:read:${'0'.repeat(64)}`];
    const read = async (openRoutes: ('health' | 'docs')[]) => {
      const { app } = build(t, { auth: { mode: 'required', apiKeys, openRoutes } });
      return (await app.inject('/openapi.json')).body;
    };
    const open = JSON.parse(await read(['docs'])) as OpenapiDocument;
    t.same(examplesOf(parameterOf(open, 'userId')), []);
    t.same(examplesOf(parameterOf(open, 'filter')), [[]]);
    t.same(examplesOf(parameterOf(open, 'context')), [[]]);
    t.match(filterPattern(open), 'genres', 'what can be asked is there');
    t.match(JSON.parse(await read(['health'])), { status: 401 });
  },
);
