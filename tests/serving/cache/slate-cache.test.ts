import { processClock } from '../../../src/domain/process-clock.js';
import t from 'tap';
import type { SlateReport } from '../../../src/pipeline/recommendation-request.js';
import { type Answer, toAnswer } from '../../../src/serving/recommender.js';
import {
  createSlateCache,
  type SlateCacheOptions,
  type SlateQuestion,
} from '../../../src/serving/cache/slate-cache.js';

const RECORD: SlateReport = {
  slate: {
    scenario: 'home',
    bundle: 'b1',
    strategy: 'personalised',
    degraded: [],
    items: [],
    hasMore: false,
  },
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
      compute: async () => toAnswer(RECORD, 'off'),
      hold: (flight) => flight(),
      form: { name: 'Answer', write: () => Buffer.alloc(100), isWritten: () => true },
      deadline: Number.POSITIVE_INFINITY,
      sharedDeadline: Number.POSITIVE_INFINITY,
      ...question,
    });
  /** What is in memory; a request that finds nothing there leaves nothing either. */
  const find = async (key: string): Promise<Answer | undefined> => {
    const answer = ask(key, { isSame: () => false });
    return answer instanceof Promise ? void (await answer) : answer;
  };
  return { ask, find, time, told };
}

t.test('an answer is kept for its time, by a clock that nobody sets', async (t) => {
  const { ask, find, time } = build();
  const wall = Date.now;
  t.teardown(() => (Date.now = wall));
  await ask('a');
  for (const jump of [3_600_000, -3_600_000]) {
    Date.now = () => wall() + jump;
    t.equal((await find('a'))?.cache, 'hit');
  }
  time.now += 1000;
  t.ok(await find('a'), 'to the last millisecond');
  time.now += 1;
  t.equal(await find('a'), undefined);
});

t.test('lives differ by the share, and no more', async (t) => {
  const { ask, find, time } = build({ jitterShare: 0.5 });
  const keys = Array.from({ length: 100 }, (_, key) => `k${key}`);
  for (const key of keys) await ask(key);
  const alive = async (now: number): Promise<number> => {
    time.now = now;
    const found = await Promise.all(keys.map(find));
    return found.filter((answer) => answer !== undefined).length;
  };
  t.equal(await alive(1000 + 499), 100);
  const half = await alive(1000 + 1000);
  t.ok(half > 10 && half < 90, `${half}`);
  t.equal(await alive(1000 + 1502), 0);
});

t.test('the bytes of what is kept have a bound', async (t) => {
  const { ask, find } = build({ maxBytes: 5000 });
  for (let key = 0; key < 10; key++) await ask(`k${key}`);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, key) => find(`k${key}`)));
  const found = answers.map((answer) => answer !== undefined);
  t.same(found, [false, false, false, false, false, false, false, true, true, true]);
});

t.test('what is degraded, shallow or too late for its key is answered and not kept', async (t) => {
  const { ask, find, told } = build();
  const degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
  await ask('a', {
    compute: async () => toAnswer({ ...RECORD, slate: { ...RECORD.slate, degraded } }, 'off'),
  });
  await ask('a', { compute: async () => toAnswer({ ...RECORD, depth: 0.5 }, 'off') });
  await ask('a', { isSame: () => false });
  t.same(told, ['degraded', 'shallow', 'changed']);
  t.equal(await find('a'), undefined);
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
  let finish: (answer: Answer) => void = () => undefined;
  const compute = (): Promise<Answer> => new Promise((resolve) => (finish = resolve));
  const hurried = ask('a', { compute, deadline: processClock() + 1 });
  const patient = ask('a');
  await t.rejects(async () => hurried, { code: 'DEADLINE_EXCEEDED' });
  finish(toAnswer(RECORD, 'off'));
  t.equal((await patient).cache, 'joined');
});
