import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Value } from 'typebox/value';
import { Problem } from '../../src/http/schemas/problem.js';
import { openGatedEvents } from '../support/gated-events.js';
import { build } from './build.js';
import { openSocket, parseAnswers, readAll, sendRaw } from './raw-socket.js';

// Short timeouts, so that the tests of slow clients are quick.
const QUICK = { server: { headersTimeoutMs: 150, requestTimeoutMs: 150, timeoutCheckIntervalMs: 20 } };

async function listen(t: Test, overrides: Parameters<typeof build>[1] = QUICK) {
  const parts = build(t, overrides);
  return { ...parts, url: await parts.app.listen({ port: 0, host: '127.0.0.1' }) };
}

function expectOneProblem(t: Test, text: string, code: string): Problem {
  const [answer, ...others] = parseAnswers(text);
  t.strictSame(others, [], 'one answer, no more');
  const problem = JSON.parse(answer!.body) as Problem;
  t.strictSame([...Value.Errors(Problem, problem)], []);
  t.match(problem, { code, status: answer!.status });
  t.match(answer!.headers, /^content-type: application\/problem\+json/im);
  t.match(answer!.headers, /^cache-control: no-store/im);
  t.match(answer!.headers, new RegExp(`^x-request-id: ${problem.requestId}`, 'im'));
  return problem;
}

t.test('headers that come too slowly are a 408, and so is a connection that says nothing', async (t) => {
  const { url } = await listen(t);
  for (const bytes of ['', 'GET /popular HTTP/1.1\r\nHost: localhost\r\nX-Slow: ']) {
    expectOneProblem(t, await sendRaw(url, bytes), 'REQUEST_TIMEOUT');
  }
});

t.test('a body that comes too slowly is a 408 of its route, and the connection ends with it', async (t) => {
  const events = await openGatedEvents(t);
  const { app, readLog, metrics } = build(t, QUICK, { events });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const head = (length: string) =>
    `POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${length}\r\n\r\n`;
  for (const bytes of [
    head('Content-Length: 500'),
    `${head('Content-Length: 500')}{"events":[`,
    `${head('Transfer-Encoding: chunked')}5\r\n{"eve\r\n`,
  ]) {
    const text = await sendRaw(url, bytes);
    const problem = expectOneProblem(t, text, 'REQUEST_TIMEOUT');
    t.match(problem, {
      instance: '/events',
      detail: 'The request did not arrive whole within 150 ms for the headers, 150 ms for all.',
    });
    t.match(text, /^connection: close\r$/im);
    const lines = readLog().filter(({ requestId }) => requestId === problem.requestId);
    t.match(lines, [{ route: '/events', status: 408 }], 'one line, of its route');
    t.equal(lines.length, 1);
  }
  const count = 'shortlist_http_request_duration_seconds_count{route="/events",method="POST",status="408"} 3';
  t.match(await metrics.render(), count);
  t.notMatch(await metrics.render(), 'status="499"');
  t.equal(events.list().length, 0);
});

t.test('a body that is too slow is answered after those before it', async (t) => {
  const events = await openGatedEvents(t);
  const { app, service } = build(t, QUICK, { events });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const release = service.hold();
  const socket = await openSocket(url);
  const answers = readAll(socket);
  socket.write(
    'GET /popular HTTP/1.1\r\nHost: localhost\r\n\r\nPOST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{',
  );
  await wait(400);
  release();
  t.same(
    parseAnswers(await answers).map(({ status }) => status),
    [200, 408],
  );
});

t.test('slow clients do not hold up a good one', async (t) => {
  const { url } = await listen(t);
  const slow = await Promise.all(Array.from({ length: 50 }, () => openSocket(url)));
  for (const socket of slow) socket.write('GET /popular HTTP/1.1\r\n');
  t.equal((await fetch(`${url}/popular`)).status, 200);
  const answers = await Promise.all(slow.map(readAll));
  for (const answer of answers) t.match(parseAnswers(answer), [{ status: 408 }]);
});

t.test('headers beyond server.maxHeaderBytes are a 431', async (t) => {
  const { url } = await listen(t, { server: { maxHeaderBytes: 8192, maxUrlLength: 4096 } });
  const flood = Array.from({ length: 2500 }, (_, index) => `X-${index}: 1\r\n`).join('');
  for (const header of [`X-Big: ${'x'.repeat(20_000)}\r\n`, flood]) {
    const text = await sendRaw(url, `GET /popular HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
    t.match(expectOneProblem(t, text, 'HEADERS_TOO_LARGE').detail, '8192 bytes');
  }
});

t.test('more than server.maxHeaderCount headers are a 431, none is dropped without a word', async (t) => {
  const { url } = await listen(t, { server: { maxHeaderCount: 100 } });
  const send = (count: number) => {
    const flood = Array.from({ length: count }, (_, index) => `X-${index}: 1\r\n`).join('');
    return sendRaw(url, `GET /popular HTTP/1.1\r\n${flood}Host: localhost\r\nConnection: close\r\n\r\n`);
  };
  t.match(parseAnswers(await send(98)), [{ status: 200 }]);
  for (const count of [99, 2400]) {
    t.match(expectOneProblem(t, await send(count), 'HEADERS_TOO_LARGE').detail, 'more than 100 headers');
  }
});

t.test('a target that is too long is a 414, and one longer than all headers a 431', async (t) => {
  const { url } = await listen(t, {});
  const send = (length: number) =>
    sendRaw(
      url,
      `GET /popular?exclude=${'x'.repeat(length)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
  expectOneProblem(t, await send(25_000), 'URI_TOO_LONG');
  expectOneProblem(t, await send(40_000), 'HEADERS_TOO_LARGE');
});

t.test('methods that no route answers are a 405 that names those that one does', async (t) => {
  const { url } = await listen(t, {});
  for (const method of ['POST', 'PUT', 'DELETE', 'TRACE']) {
    const bytes = `${method} /popular HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`;
    const text = await sendRaw(url, bytes);
    expectOneProblem(t, text, 'METHOD_NOT_ALLOWED');
    t.match(parseAnswers(text)[0]!.headers, /^allow: GET, HEAD\r$/im);
  }
});

t.test('a client that takes no answers is cut after server.stallTimeoutMs', async (t) => {
  const { url, app, service } = await listen(t, { server: { stallTimeoutMs: 200 } });
  const release = service.hold();
  t.teardown(release);
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const socket = await openSocket(url);
  const [served] = await accepted;
  const cut = once(served, 'close');
  socket.write('GET /popular HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await cut;
  t.ok(served.destroyed);
});

const BROKEN: readonly [string, string][] = [
  ['garbage', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\r\n\r\n'],
  ['another protocol', 'HELO example.org\r\n'],
  ['a control character in the target', 'GET /popular\u0001 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  [
    'length and chunks at once',
    'POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ],
  [
    'two lengths',
    'POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
  ],
  ['a header line folded around a colon', 'GET /popular HTTP/1.1\r\nHost : x\r\n\r\n'],
];

for (const [what, bytes] of BROKEN) {
  t.test(`${what} is a 400, and nothing after it is answered`, async (t) => {
    const { url, metrics } = await listen(t);
    expectOneProblem(t, await sendRaw(url, bytes), 'INVALID_REQUEST');
    const count =
      'shortlist_http_request_duration_seconds_count{route="broken",method="other",status="400"} 1';
    t.match(await metrics.render(), count);
    t.equal((await fetch(`${url}/live`)).status, 200, 'the server lives on');
  });
}

t.test('HTTP/1.1 without a Host is a 400 that says so', async (t) => {
  const { url } = await listen(t);
  const text = await sendRaw(url, 'GET /popular HTTP/1.1\r\nConnection: close\r\n\r\n');
  t.match(expectOneProblem(t, text, 'INVALID_REQUEST').detail, 'Host');
});

t.test('HTTP/1.0 needs no Host', async (t) => {
  const { url } = await listen(t);
  t.match(parseAnswers(await sendRaw(url, 'GET /live HTTP/1.0\r\n\r\n')), [{ status: 200 }]);
});

t.test('an expectation that nobody knows is ignored', async (t) => {
  const { url } = await listen(t);
  const text = await sendRaw(
    url,
    'GET /live HTTP/1.1\r\nHost: localhost\r\nExpect: magic\r\nConnection: close\r\n\r\n',
  );
  t.match(parseAnswers(text), [{ status: 200, body: '{"status":"live"}' }]);
});

t.test('1000 pipelined requests get 1000 answers, in order', async (t) => {
  const { url } = await listen(t, {});
  const requests = Array.from({ length: 1000 }, (_, index) => {
    const last = index === 999 ? 'Connection: close\r\n' : '';
    return `GET /recommendations/${index}?limit=1 HTTP/1.1\r\nHost: localhost\r\n${last}\r\n`;
  });
  const answers = parseAnswers(await sendRaw(url, requests.join('')));
  t.strictSame(
    answers.map(({ body }) => (JSON.parse(body) as { userId: string }).userId),
    requests.map((_, index) => String(index)),
  );
});

t.test('requests before a broken one get their answers, and it gets its own', async (t) => {
  const { url, service, app } = await listen(t, {});
  const release = service.hold();
  const broken = once(app.server, 'clientError');
  const text = sendRaw(
    url,
    `${'GET /popular HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3)}\u0000garbage\r\n\r\n`,
  );
  await broken;
  release();
  t.match(
    parseAnswers(await text).map(({ status }) => status),
    [200, 200, 200, 400],
  );
});

t.test(
  'a request whose body breaks off is cut without an answer that could be taken for another',
  async (t) => {
    const { admin, service } = await listen(t, QUICK);
    service.featureViews = {};
    const url = await admin.listen({ port: 0, host: '127.0.0.1' });
    const head = 'POST /bundle/reload HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
    t.equal(await sendRaw(url, `${head}Transfer-Encoding: chunked\r\n\r\n5\r\nab123\r\nzz\r\n`), '');
  },
);

t.test('a client that resets its connection leaves nothing behind', async (t) => {
  const { url, app } = await listen(t);
  for (let round = 0; round < 20; round++) {
    const socket = await openSocket(url);
    socket.write('GET /popular HTTP/1.1\r\nHost');
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  t.equal((await fetch(`${url}/live`)).status, 200);
  await app.close();
  t.pass('no connection is left for the close to wait for');
});

t.test('a client that leaves before its answer is counted as 499, once', async (t) => {
  const { url, app, service, metrics, readLog } = await listen(t);
  const release = service.hold();
  const aborted = new Promise<void>((resolve) =>
    app.server.once('request', (request) => request.once('close', resolve)),
  );
  const socket = await openSocket(url);
  socket.write('GET /recommendations/42 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await once(app.server, 'request');
  socket.destroy();
  await aborted;
  release();
  await app.close();
  const labels = 'route="/recommendations/:userId",method="GET"';
  const text = await metrics.render();
  t.match(text, `shortlist_http_request_duration_seconds_count{${labels},status="499"} 1`);
  t.notMatch(text, 'status="200"');
  t.match(
    readLog().filter(({ msg }) => msg === 'request'),
    [{ status: 499, url: '/recommendations/42' }],
  );
});

t.test('a refused connection is cut even when its client never lets go', async (t) => {
  const { url, app } = await listen(t, { server: { headersTimeoutMs: 60_000, requestTimeoutMs: 60_000 } });
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const socket = await openSocket(url, { allowHalfOpen: true });
  t.teardown(() => socket.destroy());
  const [served] = await accepted;
  const closed = once(served, 'close');
  socket.write('nonsense\r\n\r\n');
  socket.resume();
  await once(socket, 'end');
  await closed;
  t.ok(served.destroyed);
  t.notOk(socket.destroyed, 'the client still holds its end');
});
