import { processClock } from '../../../src/domain/process-clock.js';
import t from 'tap';
import type { SlateReport } from '../../../src/pipeline/recommendation-request.js';
import {
  createSlateCache,
  type SlateCacheOptions,
  type SlateQuestion,
} from '../../../src/serving/cache/slate-cache.js';

const RECORD: SlateReport = {
  slate: { scenario: 'home', bundle: 'b1', strategy: 'personalised', degraded: [], items: [] },
  stages: [],
  candidateCount: 3,
};

function build(changes: Partial<SlateCacheOptions> = {}) {
  const time = { now: 1000 };
  const told: string[] = [];
  const cache = createSlateCache({
    maxBytes: 1e6,
    ttlMs: 1000,
    jitterShare: 0,
    now: () => time.now,
    observer: {
      lookedUp: () => undefined,
      joined: () => told.push('joined'),
      notKept: (reason) => told.push(reason),
      sized: () => undefined,
    },
    ...changes,
  });
  const ask = (key: string, question: Partial<SlateQuestion> = {}) =>
    cache.answer({
      key,
      isSame: () => true,
      compute: async () => RECORD,
      run: (flight) => flight(),
      form: { write: () => Buffer.alloc(100), isWritten: () => true },
      deadline: Number.POSITIVE_INFINITY,
      computeDeadline: Number.POSITIVE_INFINITY,
      ...question,
    });
  return { cache, ask, time, told };
}

t.test('an answer is kept for its time, by a clock that nobody sets', async (t) => {
  const { cache, ask, time } = build();
  const wall = Date.now;
  t.teardown(() => (Date.now = wall));
  await ask('a');
  for (const jump of [3_600_000, -3_600_000]) {
    Date.now = () => wall() + jump;
    t.equal(cache.find('a')?.cache, 'hit');
  }
  time.now += 1000;
  t.ok(cache.find('a'), 'to the last millisecond');
  time.now += 1;
  t.equal(cache.find('a'), undefined);
});

t.test('lives differ by the share, and no more', async (t) => {
  const { cache, ask, time } = build({ jitterShare: 0.5 });
  const keys = Array.from({ length: 100 }, (_, key) => `k${key}`);
  for (const key of keys) await ask(key);
  const alive = (now: number): number => {
    time.now = now;
    return keys.filter((key) => cache.find(key) !== undefined).length;
  };
  t.equal(alive(1000 + 499), 100);
  const half = alive(1000 + 1000);
  t.ok(half > 10 && half < 90, `${half}`);
  t.equal(alive(1000 + 1502), 0);
});

t.test('the bytes of what is kept have a bound', async (t) => {
  const { cache, ask } = build({ maxBytes: 5000 });
  for (let key = 0; key < 10; key++) await ask(`k${key}`);
  const found = Array.from({ length: 10 }, (_, key) => cache.find(`k${key}`) !== undefined);
  t.same(found, [false, false, false, false, false, false, false, true, true, true]);
});

t.test('what is degraded, shallow or too late for its key is answered and not kept', async (t) => {
  const { cache, ask, told } = build();
  const degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
  await ask('a', { compute: async () => ({ ...RECORD, slate: { ...RECORD.slate, degraded } }) });
  await ask('a', { compute: async () => ({ ...RECORD, depth: 0.5 }) });
  await ask('a', { isSame: () => false });
  t.same(told, ['degraded', 'shallow', 'changed']);
  t.equal(cache.find('a'), undefined);
});

t.test('a failure goes to all who waited for it, and is not kept', async (t) => {
  const { ask, told } = build();
  const compute = (): Promise<never> => Promise.reject(new Error('broken'));
  const [one, other] = await Promise.allSettled([ask('a', { compute }), ask('a')]);
  t.match([one, other], [{ reason: { message: 'broken' } }, { reason: { message: 'broken' } }]);
  t.same(told, ['joined']);
  t.equal((await ask('a')).cache, 'miss');
});

t.test('who runs out of time leaves, and the others get the answer', async (t) => {
  const { ask } = build();
  let finish: (record: SlateReport) => void = () => undefined;
  const compute = (): Promise<SlateReport> => new Promise((resolve) => (finish = resolve));
  const hurried = ask('a', { compute, deadline: processClock() + 1 });
  const patient = ask('a');
  await t.rejects(hurried, { code: 'DEADLINE_EXCEEDED' });
  finish(RECORD);
  t.equal((await patient).cache, 'joined');
});
