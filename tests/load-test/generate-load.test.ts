import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { planArrivals, planStages } from '../../src/load-test/arrivals.js';
import { generateLoad, type LoadOptions, type Outcome } from '../../src/load-test/generate-load.js';
import { Latencies } from '../../src/load-test/latencies.js';
import { listen, stallingOnce } from './small-server.js';

async function load(
  url: URL,
  run: { rate: number; seconds: number } & Partial<LoadOptions>,
): Promise<Outcome[]> {
  const { rate, seconds, ...changes } = run;
  const outcomes: Outcome[] = [];
  await generateLoad(url, planArrivals(planStages([{ rate, seconds }])), {
    nextPath: () => '/x?limit=1',
    timeoutMs: 5000,
    maxConnections: 64,
    ...changes,
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  return outcomes;
}

function percentile(latencies: readonly number[], percent: number): number {
  const histogram = new Latencies(3);
  for (const latency of latencies) histogram.record(latency);
  return histogram.percentile(percent);
}

t.test('as many requests as rate times duration are sent, with path and prefix, and answered', async (t) => {
  const asked: (string | undefined)[] = [];
  const { url } = await listen(t, (request, response) => {
    asked.push(request.url);
    response.setHeader('content-type', 'text/plain').end('fine');
  });
  const outcomes = await load(new URL('/base/', url), { rate: 200, seconds: 0.5 });
  t.equal(outcomes.length, 100);
  t.equal(asked.length, 100);
  t.same([...new Set(asked)], ['/base/x?limit=1']);
  t.match(outcomes[0], {
    answer: { status: 200, contentType: 'text/plain', body: 'fine' },
    failure: undefined,
  });
  t.ok(outcomes.every(({ intendedMs, sentMs, endedMs }) => sentMs >= intendedMs && endedMs >= sentMs));
});

t.test('a stall shows in the latencies of all who came meanwhile; a closed loop sees it once', async (t) => {
  const stall = { fromRequest: 50, pauseMs: 300 };
  const open = await listen(t, stallingOnce(stall));
  const outcomes = await load(open.url, { rate: 150, seconds: 1.5 });
  const openP95 = percentile(
    outcomes.map(({ intendedMs, endedMs }) => endedMs - intendedMs),
    95,
  );

  const closed = await listen(t, stallingOnce(stall));
  const waits: number[] = [];
  for (let request = 0; request < outcomes.length; request++) {
    const sent = performance.now();
    await (await fetch(closed.url)).text();
    waits.push(performance.now() - sent);
  }

  t.ok(openP95 > 120, `open loop: ${openP95} ms`);
  t.ok(percentile(waits, 95) < openP95 / 2, `closed loop: ${percentile(waits, 95)} ms`);
  t.ok(Math.max(...waits) > 250, 'it was there for one request');
});

t.test('waiting for a free connection counts, and no more connections are opened than allowed', async (t) => {
  let connections = 0;
  const { url, server } = await listen(t, (_, response) => void setTimeout(() => response.end(), 40));
  server.on('connection', () => {
    connections += 1;
  });
  // Two connections can answer about 50 a second; 200 are asked.
  const outcomes = await load(url, { rate: 200, seconds: 0.5, maxConnections: 2 });
  t.equal(connections, 2);
  t.equal(outcomes.filter(({ answer }) => answer !== undefined).length, 100);
  t.ok(Math.max(...outcomes.map(({ intendedMs, endedMs }) => endedMs - intendedMs)) > 500);
});

t.test('refused connections are failures, each on its own', async (t) => {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  const outcomes = await load(new URL(`http://127.0.0.1:${port}`), { rate: 100, seconds: 0.2 });
  t.equal(outcomes.length, 20);
  t.ok(
    outcomes.every(({ failure }) => failure?.kind === 'connect' && failure.message.includes('ECONNREFUSED')),
  );
});

t.test('who gets no whole answer in time has timed out, also while waiting for a connection', async (t) => {
  const { url } = await listen(t, (_, response) => void response.writeHead(200).write('half of'));
  const outcomes = await load(url, { rate: 100, seconds: 0.2, timeoutMs: 150, maxConnections: 3 });
  t.equal(outcomes.length, 20);
  t.ok(outcomes.every(({ failure }) => failure?.kind === 'timeout'));
  t.ok(outcomes.every(({ intendedMs, endedMs }) => endedMs - intendedMs >= 150));
});

t.test('a connection that breaks is a failure of its own kind', async (t) => {
  const { url } = await listen(t, (request) => void request.socket.destroy());
  const outcomes = await load(url, { rate: 50, seconds: 0.2 });
  t.same([...new Set(outcomes.map(({ failure }) => failure?.kind))], ['connection']);
});

t.test('a run that is told to stop ends what is under way and sends no more', async (t) => {
  const { url } = await listen(t, (_, response) => void response.end());
  let ended = 0;
  const outcomes = await load(url, {
    rate: 100,
    seconds: 60,
    shouldStop: () => ended >= 10,
    nextPath: () => {
      ended += 1;
      return '/';
    },
  });
  t.ok(outcomes.length >= 10 && outcomes.length < 1000);
});
