import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runClosedLoop } from '../../benchmarks/peers/closed-loop.js';
import { compareAnswers, judgePeers, listClosed, listOpen } from '../../benchmarks/peers/compare-peers.js';
import { exportUsers } from '../../benchmarks/peers/export-users.js';
import { startGenerator } from '../../benchmarks/peers/generator.js';
import { findOtherGenerators, listVersions, runVegeta, runWrk } from '../../benchmarks/peers/independent.js';
import { CONNECTIONS, RATES, type Round, type Turn } from '../../benchmarks/peers/measure-peers.js';
import { type PeersResult, plotPeers, readGorse, renderPeers } from '../../benchmarks/peers/render-peers.js';
import { openBenchBundle } from '../../benchmarks/serving/bench-bundle.js';
import { summarise } from '../../benchmarks/serving/run-load.js';
import { parseTensorFile } from '../../src/bundle/tensor-file.js';
import { createFoldIn } from '../../src/candidates/als.js';
import { historyOf } from '../../src/domain/history.js';
import { createSyntheticWorld } from '../../benchmarks/serving/synthetic-world.js';

const users = { userIds: ['u1', 'u2'], seed: 1 };

t.test(
  'a closed loop has one request under way per connection, and tells good answers from others',
  async (t) => {
    const target = await startTarget(t, (asked) =>
      asked % 4 === 0
        ? [503, '{}']
        : asked % 4 === 1
          ? [200, '{"degraded":["ranking"]}']
          : [200, '{"degraded":[]}'],
    );

    const { perSecond, notGood } = await runClosedLoop(target.url, {
      ...users,
      connections: 3,
      seconds: 0.4,
    });

    t.equal(target.mostAtOnce(), 3);
    t.match(target.paths()[0], /^\/recommendations\/u[12]\?limit=10&scenario=bench$/);
    const good = Math.round(perSecond * 0.4);
    t.ok(good > 0 && Math.abs(good - notGood) <= 8, 'half of the answers are good');
    t.ok(good + notGood < target.paths().length, 'the start is not counted');
  },
);

t.test('a closed loop without a server says so', async (t) => {
  const target = await startTarget(t, () => [200, '{}']);
  await target.close();

  await t.rejects(runClosedLoop(target.url, { ...users, connections: 1, seconds: 0.1 }), {
    code: 'ECONNREFUSED',
  });
});

t.test('the generator runs both loops in a process of its own, and its end is no silence', async (t) => {
  const target = await startTarget(t, () => [200, '{"items":[]}']);
  const generator = startGenerator();
  const load = { ...users, url: target.url, seconds: 0.3 };

  t.match(await generator.runClosed({ ...load, connections: 2 }), { connections: 2, notGood: 0 });
  t.match(await generator.runOpen({ ...load, rate: 50 }), { rate: 50, counts: { refused: 0, failed: 0 } });
  await target.close();

  await t.rejects(generator.runClosed({ ...load, connections: 2 }), /the generator ended with 1/);
});

t.test('the vectors of users are those that serving folds in', async (t) => {
  const size = { items: 300, users: 40, seed: 3 };
  const folder = t.testdir({});
  const file = join(folder, 'users.safetensors');

  await exportUsers(await openBenchBundle(size, folder), file);

  const { als, histories } = createSyntheticWorld(size);
  const { shape, data } = parseTensorFile(await readFile(file), 'users').tensors.get('users')!;
  t.same(shape, [40, 64]);
  t.same(data.slice(7 * 64, 8 * 64), Float32Array.from(createFoldIn(als)(historyOf(histories, 7))));
});

t.test('other generators ask the same, where they are on the PATH', async (t) => {
  const target = await startTarget(t, () => [200, '{"items":[]}']);
  const others = await findOtherGenerators(t.testdir({}));
  const load = { ...users, url: target.url, seconds: 1 };

  if (others.wrk)
    t.match(await runWrk({ ...load, connections: 2 }, others.folder), { connections: 2, notGood: 0 });
  if (others.vegeta)
    t.match(await runVegeta({ ...load, rate: 50 }, others.folder), { rate: 50, goodShare: 1 });
  t.equal((await listVersions(others)).length, Number(others.wrk) + Number(others.vegeta));
  t.ok(target.paths().every((path) => /^\/recommendations\/u[12]\?limit=10&scenario=bench$/.test(path)));
});

t.test('ratios are of one round each, and the median of the rounds counts', async (t) => {
  const rounds = [roundOf(100, 200), roundOf(100, 400), roundOf(10, 30)];

  t.same(
    judgePeers(rounds).map(({ value, met }) => [value, met]),
    [
      ['3', false],
      ['0.333', true],
      ['0.333', true],
    ],
  );
  t.match(listClosed(rounds, 'closed')[0], { what: '4', values: { 'Python service': 100, Shortlist: 200 } });
  t.match(listOpen(rounds, 'open')[0], { what: '100/s p50' });
  const ofTwo = listOpen(rounds.slice(0, 2), 'open')[0]!.values.Shortlist!;
  t.equal(ofTwo.toFixed(1), '3.8', 'between 5 and 2.5 ms');
  t.match(listOpen(rounds, 'otherOpen')[0], { values: { Shortlist: null } });
  t.same(compareAnswers(rounds[0]!), { users: 2, sharedItems: 1.5, sameAnswers: 1 });
});

t.test('a result becomes tables and a plot, with what was measured elsewhere marked as such', async (t) => {
  const result: PeersResult = {
    machine: { processor: 'one', cores: 1, megabytes: 1 },
    node: 'v24',
    commit: undefined,
    createdAt: '2026-01-01T00:00:00Z',
    loadAverage: 0,
    size: { items: 300, users: 40, workers: 1 },
    seconds: 1,
    versions: ['Python 3'],
    rounds: [roundOf(100, 200)],
  };

  const text = renderPeers(result, await readGorse());

  t.match(text, /\| Shortlist {2,}\| +200 \|/);
  t.match(text, /\| Gorse 0\.5\.11.* \\\* +\| +– \| +556 \| /);
  t.match(text, /\\\* Not of this run: measured in 2026-11/);
  t.equal(text.match(/MISSED/g)?.length, 1);
  t.match(plotPeers(result), /^<svg[^]*Shortlist, cached/);
});

/** Python gives `theirs` answers per second, Shortlist `ours`; latencies are the inverse. */
function roundOf(theirs: number, ours: number): Round {
  const answers = [
    ['i1', 'i2'],
    ['i3', 'i4'],
  ];
  return {
    'Python service': turnOf(theirs, [answers[0]!, ['i3', 'i9']]),
    Shortlist: turnOf(ours, answers),
    'Shortlist, cached': turnOf(10 * ours, answers),
  };
}

function turnOf(perSecond: number, answers: Turn['answers']): Turn {
  const outcome = { intendedMs: 0, endedMs: 1000 / perSecond, kind: 'good' } as const;
  const load = summarise([outcome], { fromMs: 0, toMs: 1 });
  return {
    closed: CONNECTIONS.map((connections) => ({ connections, perSecond, notGood: 0 })),
    open: RATES.map((rate) => ({ ...load, rate, lateP99Ms: 0 })),
    otherClosed: [],
    otherOpen: [],
    answers,
  };
}

/** Milliseconds that an answer of the target takes. */
const HELD_MS = 20;

/** Answers the n-th request as it is told, after `HELD_MS`. */
async function startTarget(t: Test, answer: (asked: number) => readonly [number, string]) {
  const paths: string[] = [];
  let atOnce = 0;
  let mostAtOnce = 0;
  const server = createServer((request, response) => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    const [status, body] = answer(paths.push(request.url!));
    setTimeout(() => {
      atOnce--;
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
      // Long enough for all connections to wait together, however busy the machine is.
    }, HELD_MS);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  t.teardown(close);
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    paths: () => paths,
    mostAtOnce: () => mostAtOnce,
    close,
  };
}
