import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { ERRORS, type ErrorCode } from '../../src/domain/errors.js';
import { Problem } from '../../src/http/schemas/problem.js';
import { build } from './build.js';

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** Nothing below changes it, so one app serves all the tables. */
const { app } = build(t);

function expectProblem(t: Test, response: Answer, code: ErrorCode): Problem {
  const { status, title } = ERRORS[code];
  const problem = JSON.parse(response.body) as Problem;
  t.strictSame([...Value.Errors(Problem, problem)], []);
  t.match(problem, { status, title, code, type: `urn:shortlist:error:${code}` });
  t.equal(response.statusCode, status);
  t.match(response.headers['content-type'], 'application/problem+json');
  t.equal(response.headers['cache-control'], 'no-store');
  t.equal(response.headers['x-request-id'], problem.requestId);
  return problem;
}

const BAD_LIMITS = [
  '0',
  '-1',
  '101',
  '1e9',
  '1e1',
  '5.5',
  '5.0',
  'abc',
  '',
  'NaN',
  '%205',
  '0x10',
  '+5',
  '99999999999',
];

for (const limit of BAD_LIMITS) {
  t.test(`limit=${limit} is refused and named`, async (t) => {
    for (const path of ['/recommendations/42', '/items/7/similar', '/popular']) {
      const problem = expectProblem(t, await app.inject(`${path}?limit=${limit}`), 'INVALID_REQUEST');
      t.match(problem.detail, /^limit is .*, allowed is an integer from 1 to 100$/);
      t.equal(problem.instance, path);
    }
  });
}

const BAD_QUERIES: readonly [string, RegExp][] = [
  ['limit=5&limit=6', /^limit is \["5","6"\], allowed is an integer/],
  ['limit=5&limit=5', /^limit is \["5","5"\], allowed is an integer/],
  ['explain=all', /^explain is "all", allowed is one of none, sources, features, reasons$/],
  ['scenario=', /^scenario is ""/],
  ['scenario=a&scenario=b', /^scenario is \["a","b"\]/],
  ['exclude=', /^exclude is "", allowed is text of 1 to 256 characters, no control characters$/],
  ['exclude=a%0Ab', /^exclude is "a\\nb"/],
  [`exclude=${'x'.repeat(257)}`, /^exclude is "x{79}…/],
  [Array(501).fill('exclude=1').join('&'), /^exclude is a list of 501, allowed is a list of at most 500/],
  ['filter=genres', /^filter is "genres", allowed is `attribute:value`$/],
  ['filter=:Comedy', /^filter is ":Comedy"/],
  ['filter=genres:', /^filter is "genres:"/],
  ['filter=', /^filter is ""/],
  [
    'nothing',
    /^"nothing" is not a query parameter; known are limit, scenario, sessionId, exclude, filter, context, fields, explain, cursor, timeoutMs$/,
  ],
  ['Limit=5', /^"Limit" is not a query parameter/],
  ['__proto__[x]=1', /^"__proto__\[x\]" is not a query parameter/],
  ['__proto__=1&constructor=2', /"__proto__" is not a query parameter.*"constructor" is not/],
  ['limit=0&explain=x', /^limit is 0.*; explain is "x"/],
];

for (const [query, detail] of BAD_QUERIES) {
  t.test(`?${query.slice(0, 60)} is refused and named`, async (t) => {
    const problem = expectProblem(t, await app.inject(`/recommendations/42?${query}`), 'INVALID_REQUEST');
    t.match(problem.detail, detail);
    t.equal(({} as Record<string, unknown>)['x'], undefined, 'Object.prototype is unchanged');
  });
}

t.test('the integers at the edge of what is allowed pass', async (t) => {
  for (const limit of [1, 100]) t.equal((await app.inject(`/popular?limit=${limit}`)).statusCode, 200);
});

t.test('500 excluded ids of 36 characters pass', async (t) => {
  const { app, service } = build(t);
  const ids = Array.from({ length: 500 }, (_, index) => String(index).padStart(36, '0'));
  const response = await app.inject(`/popular?${ids.map((id) => `exclude=${id}`).join('&')}`);
  t.equal(response.statusCode, 200);
  t.equal(service.asked[0]!.exclude.length, 500);
});

t.test('of 1000 unknown keys the first ten are named', async (t) => {
  const keys = Array.from({ length: 1000 }, (_, index) => `k${index}=1`);
  const problem = expectProblem(t, await app.inject(`/popular?${keys.join('&')}`), 'INVALID_REQUEST');
  t.match(problem.detail, /"k9" is not a query parameter.*; and 990 more$/);
  t.notMatch(problem.detail, '"k10"');
});

const COLD_IDS = [
  '%F0%9F%98%80',
  '%D7%A9%D7%9C%D7%95%D7%9D',
  '__proto__',
  'constructor',
  'toString',
  '..%2f..%2fetc',
  "'%22;--",
  'x'.repeat(256),
];

for (const id of COLD_IDS) {
  t.test(`the id ${id.slice(0, 40)} is somebody unknown`, async (t) => {
    const response = await app.inject(`/recommendations/${id}`);
    t.equal(response.statusCode, 200);
    t.match(response.json(), { userId: decodeURIComponent(id), strategy: 'cold-start' });
  });
}

const BAD_IDS = ['', '%00', 'a%0D%0Ab', '%7F', '%C2%9B31m', 'x'.repeat(257), 'x'.repeat(5000)];

for (const id of BAD_IDS) {
  t.test(`the id '${id.slice(0, 20)}' of ${id.length} characters is refused`, async (t) => {
    const problem = expectProblem(t, await app.inject(`/recommendations/${id}`), 'INVALID_REQUEST');
    t.match(problem.detail, /^userId is .*, allowed is text of 1 to 256 characters, no control characters$/);
    expectProblem(t, await app.inject(`/items/${id}/similar`), 'INVALID_REQUEST');
  });
}

t.test('a path that is not percent-encoded text is refused', async (t) => {
  for (const id of ['%E0%A4%A', '%', '%ED%A0%80', '%zz']) {
    const problem = expectProblem(t, await app.inject(`/recommendations/${id}`), 'INVALID_REQUEST');
    t.equal(problem.instance, `/recommendations/${id}`);
  }
});

t.test('a target beyond server.maxUrlLength is a 414, in the path or in the query', async (t) => {
  const { app } = build(t, { server: { maxUrlLength: 1000 } });
  const path = expectProblem(t, await app.inject(`/recommendations/${'x'.repeat(2000)}`), 'URI_TOO_LONG');
  t.equal(path.instance.length, 512, 'what is shown of it is cut');
  const query = expectProblem(t, await app.inject(`/popular?exclude=${'x'.repeat(2000)}`), 'URI_TOO_LONG');
  t.equal(query.detail, 'Path and query have 2017 characters, allowed are 1000.');
});

t.test('a scenario or attribute that does not exist is refused by name', async (t) => {
  const scenario = expectProblem(
    t,
    await app.inject('/recommendations/42?scenario=Home'),
    'UNKNOWN_SCENARIO',
  );
  t.match(scenario.detail, "There is no scenario 'Home'");
  const attribute = expectProblem(t, await app.inject('/popular?filter=colour:red'), 'UNKNOWN_ATTRIBUTE');
  t.match(attribute.detail, 'colour');
});

t.test('a path that nobody answers is a 404, whatever the method and the body', async (t) => {
  for (const method of ['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY'] as const) {
    const response = await app.inject({ method: method as 'GET', url: '/recommendation' });
    t.equal(response.statusCode, 404, method);
  }
  const headers = { 'content-type': 'application/xml' };
  const response = await app.inject({ method: 'POST', url: '/x?a=b', payload: '<', headers });
  const problem = expectProblem(t, response, 'ROUTE_NOT_FOUND');
  t.match(problem, { detail: 'There is no POST /x?a=b.', instance: '/x' });
  expectProblem(t, await app.inject('/popular/'), 'ROUTE_NOT_FOUND');
});

t.test('a path that other methods answer is a 405 that names them, whatever the body', async (t) => {
  for (const url of [
    '/recommendations/42',
    '/items/7/similar',
    '/popular',
    '/live',
    '/ready',
    '/docs',
    '/openapi.json',
  ]) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const request = { method: method as 'POST', url: `${url}?limit=5` };
      const body = method === 'POST' ? { payload: '{', headers: { 'content-type': 'application/json' } } : {};
      const response = await app.inject({ ...request, ...body });
      t.equal(response.headers['allow'], 'GET, HEAD');
      expectProblem(t, response, 'METHOD_NOT_ALLOWED');
    }
  }
});

t.test('what is refused never reaches the pipeline', async (t) => {
  const { app, service } = build(t);
  await app.inject('/recommendations/42?limit=0');
  t.strictSame(service.asked, []);
});

t.test('our own faults are a 500 that says nothing of what happened', async (t) => {
  const { app, service } = build(t);
  for (const failure of [new TypeError('secret table'), 'secret text', { secret: 1 }, null]) {
    service.failure = failure;
    const response = await app.inject('/popular');
    const problem = expectProblem(t, response, 'INTERNAL');
    t.notMatch(response.body, /secret|stack|TypeError/);
    t.match(problem.detail, 'quote the request id');
  }
});
