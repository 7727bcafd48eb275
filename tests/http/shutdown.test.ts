import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { buildSettings } from './build.js';
import { createPlace, startDurableRedis } from '../events/redis/redis-place.js';
import { listAll, type StorePlace } from '../events/store-place.js';
import { REDIS_MISSING } from '../support/redis-server.js';
import { openSocket, parseAnswers, readAll, sendRaw } from './raw-socket.js';
import type { Command, Report } from './server-process.js';

const PROGRAM = join(import.meta.dirname, 'server-process.js');

async function start(t: Test, overrides: Parameters<typeof buildSettings>[0]) {
  const child = fork(PROGRAM, [JSON.stringify(overrides)], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  const log: string[] = [];
  child.stdout!.setEncoding('utf8').on('data', (text: string) => log.push(text));
  const [report] = (await once(child, 'message')) as [{ url: string; adminUrl: string }];
  const readLog = () =>
    log
      .join('')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { child, ...report, readLog };
}

/** Resolves when the process has done what it was told. */
async function tell(child: ChildProcess, command: Command): Promise<void> {
  const done = new Promise<void>((resolve) =>
    child.on('message', (report: Report) => 'done' in report && report.done === command && resolve()),
  );
  child.send(command);
  await done;
}

/** The exit code, once the log is complete. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
}

function get(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(url, { agent }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({ status: response.statusCode!, connection: response.headers.connection }),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

/** Resolves when the server has an answer of this status to the URL. */
async function seen(url: string, status: number): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  while ((await get(url, agent)).status !== status);
  agent.destroy();
}

t.test('SIGTERM under load of keep-alive clients loses no request, and exits with 0', async (t) => {
  const { child, url, readLog } = await start(t, {
    shutdown: { drainDelayMs: 400 },
    logging: { level: 'info', requestSampleRate: 0 },
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 50 });
  t.teardown(() => agent.destroy());
  const answers: Answer[] = [];
  const balancer = { sends: true };
  let warm = (): void => undefined;
  const warmedUp = new Promise<void>((resolve) => (warm = resolve));
  const client = async (name: number): Promise<void> => {
    while (balancer.sends) {
      answers.push(await get(`${url}/recommendations/${name}`, agent));
      if (answers.length === 500) warm();
    }
  };
  const clients = Promise.all(Array.from({ length: 50 }, (_, name) => client(name)));
  await warmedUp;
  const exited = exitOf(child);
  child.kill('SIGTERM');
  // The load balancer: it stops sending once readiness fails.
  await seen(`${url}/ready`, 503);
  const before = answers.length;
  balancer.sends = false;
  await clients;
  t.ok(before >= 500 && answers.length >= before);
  t.strictSame([...new Set(answers.map(({ status }) => status))], [200], `${answers.length} answers`);
  t.equal(answers.at(-1)!.connection, 'close', 'connections were let go one by one');
  t.equal(await exited, 0);
  t.match(readLog().at(-1), { level: 'info', msg: 'stopped' });
});

const placeOf = (t: Test): StorePlace => ({ store: 'local', folder: join(t.testdir({}), 'events') });

/** A process to which 40 requests of two events each were sent, all of which wait for the disk. */
async function startWithWaitingEvents(t: Test, place: StorePlace) {
  const { store, ...where } = place;
  const started = await start(t, {
    shutdown: { drainDelayMs: 0 },
    ...('url' in where && { redis: where }),
    // Long enough for a signal to come before the commit.
    events: { enabled: true, store, ...('folder' in where && where), syncMs: 1000 },
  });
  const requests = 40;
  let waiting = 0;
  const allWait = new Promise<void>((resolve) =>
    started.child.on(
      'message',
      (report: Report) => 'keeping' in report && ++waiting === requests && resolve(),
    ),
  );
  const send = async (request: number): Promise<object> => {
    const click = { userId: 'u1', itemId: 'i1', type: 'click' };
    const events = [1, 2].map((index) => ({ ...click, eventId: `${request}-${index}` }));
    const answer = await fetch(`${started.url}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ events }),
    });
    return { status: answer.status, ...((await answer.json()) as object) };
  };
  const answers = Promise.allSettled(Array.from({ length: requests }, (_, request) => send(request)));
  await allWait;
  const list = () => listAll(place);
  t.same(await list(), [], 'nothing is committed yet');
  return { ...started, requests, answers, list };
}

async function endWithWaitingEvents(t: Test, place: StorePlace): Promise<void> {
  const { child, readLog, requests, answers, list } = await startWithWaitingEvents(t, place);
  const exited = exitOf(child);
  child.kill('SIGTERM');
  const value = { status: 202, accepted: 2, duplicates: 0, refused: [] };
  t.same(
    await answers,
    Array.from({ length: requests }, () => ({ status: 'fulfilled', value })),
  );
  t.equal(await exited, 0);
  t.equal((await list()).length, 2 * requests);
  t.match(readLog().at(-1), { level: 'info', msg: 'stopped' });
}

t.test('SIGTERM while events wait: all are on the disk and answered before the process ends', (t) =>
  endWithWaitingEvents(t, placeOf(t)),
);

t.test(
  'SIGTERM while events wait for Redis: all are there and answered before the process ends',
  { skip: REDIS_MISSING },
  async (t) => {
    const { url } = await startDurableRedis(t);
    await endWithWaitingEvents(t, createPlace(url));
  },
);

t.test(
  'negative control: killed instead, what waited is not kept, and nobody was told that it is',
  async (t) => {
    const { child, requests, answers, list } = await startWithWaitingEvents(t, placeOf(t));
    const exited = exitOf(child);
    child.kill('SIGKILL');
    await exited;
    t.same(
      (await answers).map(({ status }) => status),
      Array.from({ length: requests }, () => 'rejected'),
    );
    t.same(await list(), []);
  },
);

t.test('a second signal ends the process at once, with 1', async (t) => {
  const { child, url, readLog } = await start(t, { shutdown: { drainDelayMs: 60_000 } });
  const exited = exitOf(child);
  child.kill('SIGTERM');
  await seen(`${url}/ready`, 503);
  child.kill('SIGINT');
  t.equal(await exited, 1);
  // Found, not last: lines that were under way when the process ended may come after it.
  t.ok(readLog().some(({ level, msg }) => level === 'error' && msg === 'second SIGINT, exiting'));
});

t.test('an error that nobody catches is logged, drains the server and ends the process with 1', async (t) => {
  const { child, url, readLog } = await start(t, { shutdown: { drainDelayMs: 200 } });
  const exited = exitOf(child);
  await tell(child, 'throw');
  await seen(`${url}/ready`, 503);
  t.equal(await exited, 1);
  const fatal = readLog().filter(({ level }) => level === 'fatal');
  t.match(fatal, [
    { msg: 'uncaught error, stopping', err: { message: 'nobody catches this', stack: /server-process/ } },
  ]);
  t.match(readLog().at(-1), { msg: 'stopped' });
});

t.test(
  'a rejection that nobody handles does so too, and requests that never end are cut after shutdown.timeoutMs',
  async (t) => {
    const { child, url, readLog } = await start(t, { shutdown: { drainDelayMs: 0, timeoutMs: 100 } });
    await tell(child, 'hold');
    const lost = get(`${url}/popular`, new Agent()).catch((error: NodeJS.ErrnoException) => error.code);
    await seen(`${url}/live`, 200);
    const exited = exitOf(child);
    await tell(child, 'reject');
    t.equal(await exited, 1);
    t.equal(await lost, 'ECONNRESET');
    t.match(
      readLog().find(({ level }) => level === 'fatal'),
      { err: { message: 'nobody waits for this' } },
    );
    t.ok(readLog().some(({ level, msg }) => level === 'error' && msg === 'killed by timeout (100ms)'));
  },
);

for (const command of ['break-timer', 'break-promise'] as const) {
  t.test(`an error that nobody catches names the request that set it going (${command})`, async (t) => {
    const { child, url, readLog } = await start(t, { shutdown: { drainDelayMs: 100 } });
    const exited = exitOf(child);
    const ask = (id: string) => fetch(`${url}/popular`, { headers: { 'x-request-id': id } });
    await Promise.all([ask('innocent-1'), ask('innocent-2')]);
    await tell(child, command);
    t.equal((await ask('guilty')).status, 200, 'it fails only after its answer');
    t.equal(await exited, 1);
    const fatal = readLog().filter(({ level }) => level === 'fatal');
    t.match(fatal, [{ requestId: 'guilty', err: { message: 'nobody catches this' } }]);
  });
}

const PIPELINES = [
  // Answered before the next one is parsed.
  { what: 'requests that are answered at once', path: '/live', bytes: 60 },
  { what: 'requests that are computed', path: '/popular?limit=1', bytes: 60 },
  { what: 'requests with answers that pile up', path: '/popular?limit=100', bytes: 60 },
  { what: 'requests of many packets', path: '/popular?limit=1', bytes: 4000 },
  { what: 'requests that nobody answers', path: '/nothing', bytes: 60 },
] as const;

for (const { what, path, bytes } of PIPELINES) {
  for (const drainDelayMs of [0, 300]) {
    t.test(`a drain of ${drainDelayMs} ms answers all pipelined requests: ${what}`, async (t) => {
      const { child, url } = await start(t, {
        shutdown: { drainDelayMs, timeoutMs: 20_000 },
        logging: { level: 'info', requestSampleRate: 0 },
      });
      const COUNT = 136;
      const exited = exitOf(child);
      // An answer that is held back keeps the connections open until all of it has been sent.
      await tell(child, 'hold');
      const one = (id: number) =>
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\nX-Filler: ${'x'.repeat(bytes)}\r\n\r\n`;
      const connections = await Promise.all(
        Array.from({ length: 3 }, async () => {
          const socket = await openSocket(url);
          socket.write('GET /popular?limit=2 HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: first\r\n\r\n');
          return { socket, text: readAll(socket) };
        }),
      );
      // The server has read the first requests when it answers one that came after them.
      await seen(`${url}/live`, 200);
      child.kill('SIGTERM');
      if (drainDelayMs > 0) await seen(`${url}/ready`, 503);
      const pipeline = Array.from({ length: COUNT }, (_, id) => one(id)).join('');
      // Written is in the server's kernel: this is the same machine.
      await Promise.all(
        connections.map(({ socket }) => new Promise((written) => socket.write(pipeline, written))),
      );
      await tell(child, 'release');
      for (const { text } of connections) {
        const answers = parseAnswers(await text);
        const ids = answers.map(({ headers }) => /^x-request-id: (.*)$/im.exec(headers)?.[1]?.trim());
        t.strictSame(ids, ['first', ...Array.from({ length: COUNT }, (_, id) => String(id))]);
        const closing = answers.filter(({ headers }) => /^connection: close/im.test(headers));
        t.ok(closing.length <= 1 && (closing.length === 0 || closing[0] === answers.at(-1)));
      }
      t.equal(await exited, 0);
    });
  }
}

t.test(
  'negative control: where every answer closes its connection, what lies behind the first is lost',
  async (t) => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { connection: 'close', 'content-length': 0 }).end();
    });
    t.teardown(() => server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const text = await sendRaw(
      `http://127.0.0.1:${port}`,
      'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(136),
    );
    t.equal(parseAnswers(text).length, 1);
  },
);
