import t from 'tap';
import type { RankerGuard } from '../../src/ranking/guarded-ranker.js';
import { LONG } from '../support/long-tests.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import {
  type FaultAnswer,
  type FaultServer,
  publishBundle,
  startFaultServer,
} from '../support/fault-server.js';

const dir = t.testdir({});
const { folder } = await writeFaultyBundle(dir);
const registry = await publishBundle(dir, folder);

const THREADS = { workers: 1, maxBatch: 16, maxWaiting: 1000, minDepth: 1 };
/** Much less than what the slow user's runs take, much more than anybody else's. */
const DEADLINE_MS = 500;
const GUARD: RankerGuard = { budgetMs: 200, probeAfterMs: 60_000 };
const guarded = (guard: Partial<RankerGuard> = {}) => ({
  threads: { ...THREADS, rankerGuard: { ...GUARD, ...guard } },
});

const isWhole = (answer: FaultAnswer): boolean =>
  answer.status === 200 && answer.items.length === 5 && new Set(answer.items).size === 5;
const reasonOf = ({ degraded: [first] }: FaultAnswer): string | undefined =>
  first && `${first.stage}: ${first.reason}`;

t.test('scores that are not numbers degrade who has them, and nobody who is asked for beside', async (t) => {
  const server = await startFaultServer(t, registry, guarded());
  const answers = await Promise.all(
    [...USERS.healthy, USERS.invalid, ...USERS.healthy].map((user) => server.ask(user)),
  );
  t.ok(answers.every(isWhole), 'every list is whole');
  const reasons = answers.map(reasonOf);
  t.equal(reasons[USERS.healthy.length], 'ranking: ranker_invalid_output');
  t.equal(reasons.filter((reason) => reason !== undefined).length, 1);
  const counted = /degraded_total\{stage="ranking",reason="ranker_invalid_output",release="stable"\} (\d+)/;
  t.equal(await server.metric(counted), 1);
});

t.test('a ranker that fails for most is left alone, and used again when it is well', async (t) => {
  const server = await startFaultServer(t, registry, guarded({ probeAfterMs: 100 }));
  for (let run = 0; run < 5; run++)
    t.equal(reasonOf(await server.ask(USERS.failing)), 'ranking: ranker_failed');
  t.equal(
    reasonOf(await server.ask('u1')),
    'ranking: ranker_failed',
    'nobody’s rows reach it now, and the reason says why',
  );
  let answer: FaultAnswer;
  do {
    answer = await server.ask('u1');
    t.ok(isWhole(answer));
  } while (answer.degraded.length > 0);
});

/** Asks for the slow user until somebody is answered without waiting; every answer is a whole list. */
async function askUntilLeftAlone(t: Tap, server: FaultServer): Promise<Set<string | undefined>> {
  const reasons = new Set<string | undefined>();
  while (!reasons.has('ranking: ranker_timeout')) {
    const answer = await server.ask(USERS.slow);
    t.ok(isWhole(answer));
    reasons.add(reasonOf(answer));
  }
  return reasons;
}

type Tap = typeof t;

t.test('a ranker that is too slow costs the first requests their deadline, the others nothing', async (t) => {
  const server = await startFaultServer(t, registry, { ...guarded(), deadlineMs: DEADLINE_MS });
  t.equal(reasonOf(await server.ask('u1')), undefined);
  const reasons = await askUntilLeftAlone(t as Tap, server);
  t.ok(reasons.has('pipeline: deadline_exceeded'), 'the first ones');
  for (const user of [USERS.slow, ...USERS.healthy, USERS.slow]) {
    const answer = await server.ask(user);
    t.equal(reasonOf(answer), 'ranking: ranker_timeout');
    t.ok(isWhole(answer));
  }
});

t.test(
  'while a slow ranker is tried again, requests are answered; when it is fast it is used',
  LONG,
  async (t) => {
    const server = await startFaultServer(t, registry, {
      ...guarded({ probeAfterMs: 100 }),
      deadlineMs: DEADLINE_MS,
    });
    await askUntilLeftAlone(t as Tap, server);
    let answer: FaultAnswer;
    do {
      answer = await server.ask('u2');
      t.ok(isWhole(answer), 'by fusion, or by what most people chose');
    } while (answer.degraded.length > 0);
  },
);

t.test('negative control: without the guard a slow ranker is run for everybody', LONG, async (t) => {
  const server = await startFaultServer(t, registry, { deadlineMs: DEADLINE_MS });
  for (let run = 0; run < 4; run++)
    t.equal(reasonOf(await server.ask(USERS.slow)), 'pipeline: deadline_exceeded');
});
