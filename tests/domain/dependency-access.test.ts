import { mock } from 'node:test';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import t from 'tap';
import {
  createDependencyAccess,
  isPassing,
  type DependencyExcess,
  type DependencyPolicy,
  type DependencyRead,
  type DependencyRetry,
} from '../../src/domain/dependency-access.js';

const away = (): Error => Object.assign(new Error('away'), { code: 'ECONNRESET' });

function open(policy: Partial<DependencyPolicy> = {}) {
  const retries: DependencyRetry[] = [];
  const reads: DependencyRead[] = [];
  const excesses: DependencyExcess[] = [];
  const access = createDependencyAccess(policy, {
    observer: {
      retried: (retry) => retries.push(retry),
      read: (read) => reads.push(read),
      exceeded: (excess) => excesses.push(excess),
    },
  });
  return { access, retries, reads, excesses };
}

t.test('an attempt that another may cure is followed by another, and told', async (t) => {
  const { access, retries } = open({ attempts: 4, firstWaitMs: 2 });
  let asked = 0;
  const answer = await access.retry('redis', async () => {
    asked++;
    if (asked < 3) throw away();
    return 'there';
  });
  t.equal(answer, 'there');
  t.match(retries, [
    { source: 'redis', attempt: 1, error: { message: 'away' } },
    { source: 'redis', attempt: 2 },
  ]);
  t.equal(retries.length, 2);
});

t.test('attempts are bounded, and the last failure is the one that is thrown', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 8 }), async (attempts) => {
      const { access, retries } = open({ attempts, firstWaitMs: 1 });
      let asked = 0;
      const fail = async (): Promise<never> => {
        throw Object.assign(new Error(`attempt ${++asked}`), { code: 'EIO' });
      };
      await t.rejects(access.retry('bundle', fail), { message: `attempt ${attempts}` });
      t.equal(asked, attempts);
      t.equal(retries.length, attempts - 1);
    }),
    { numRuns: 8 },
  );
});

t.test('what another attempt cannot cure is thrown at once', async (t) => {
  const { access, retries } = open();
  await t.rejects(
    access.retry('dataset', () => readFile('no such file')),
    { code: 'ENOENT' },
  );
  await t.rejects(
    access.retry('dataset', async () => Promise.reject(new TypeError('our own mistake'))),
    TypeError,
  );
  t.same(retries, []);
  await t.rejects(
    access.retry('dataset', async () => Promise.reject(away()), { isPassing: () => false }),
    { code: 'ECONNRESET' },
  );
  t.same(retries, [], 'a caller may know better');
});

t.test('waits are between nothing and twice as much each time, up to a limit', async (t) => {
  const clock = mock.timers;
  clock.enable({ apis: ['setTimeout'] });
  t.teardown(() => clock.reset());
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 5000 }),
      async (firstWaitMs, longestWaitMs) => {
        const { access, retries } = open({ attempts: 7, firstWaitMs, longestWaitMs, totalMs: 1e9 });
        const failing = access.retry('issuer', async () => Promise.reject(away())).catch(() => 'failed');
        for (let round = 0; round < 7; round++) {
          await new Promise((resolve) => setImmediate(resolve));
          clock.tick(longestWaitMs);
        }
        await failing;
        t.equal(retries.length, 6);
        for (const { attempt, waitMs } of retries) {
          const most = Math.min(longestWaitMs, firstWaitMs * 2 ** (attempt - 1));
          t.ok(waitMs >= 0 && (waitMs < most || waitMs === 0), `${waitMs} of ${most}`);
        }
      },
    ),
    { numRuns: 20 },
  );
});

t.test('time is bounded over all attempts, and what failed last is the cause', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { access } = open({ attempts: 1000, totalMs: 5000, firstWaitMs: 1e6, longestWaitMs: 1e6 });
  const failing = access.retry('download', async () => Promise.reject(away()));
  const ended = t.rejects(failing, { message: 'not done within 5 s', cause: { message: 'away' } });
  await new Promise((resolve) => setImmediate(resolve));
  mock.timers.tick(5000);
  await ended;
  const shorter = access.retry('download', () => new Promise(() => undefined), { totalMs: 1000 });
  const late = t.rejects(
    shorter,
    { message: 'not done within 1 s' },
    'an attempt that hears nothing is left behind',
  );
  mock.timers.tick(1000);
  await late;
});

t.test('an abort ends it at once: before, while an attempt runs, and while it waits', async (t) => {
  const reason = new Error('stopped by hand');
  const before = new AbortController();
  before.abort(reason);
  let asked = 0;
  const count = async (): Promise<number> => ++asked;
  const { access } = open({ firstWaitMs: 1e6, longestWaitMs: 1e6 });
  await t.rejects(access.retry('redis', count, { signal: before.signal }), reason);
  t.equal(asked, 0);

  const during = new AbortController();
  const deaf = access.retry('redis', () => new Promise(() => undefined), { signal: during.signal });
  during.abort(reason);
  await t.rejects(deaf, reason);

  const between = new AbortController();
  let given: AbortSignal | undefined;
  const waiting = createDependencyAccess(
    { firstWaitMs: 1e6, longestWaitMs: 1e6 },
    {
      observer: {
        retried: () => setImmediate(() => between.abort(reason)),
        read: () => undefined,
        exceeded: () => undefined,
      },
    },
  ).retry(
    'redis',
    async (signal) => {
      given = signal;
      throw away();
    },
    { signal: between.signal },
  );
  await t.rejects(waiting, reason);
  t.ok(given!.aborted, 'an attempt can hear of it');
});

t.test('errors of the network and of network disks pass, those of the file or of ours do not', async (t) => {
  const coded = (code: string): Error => Object.assign(new Error(code), { code });
  for (const code of ['EAGAIN', 'EIO', 'EBUSY', 'ESTALE', 'ETIMEDOUT', 'ECONNREFUSED'])
    t.ok(isPassing(coded(code)), code);
  for (const code of ['ENOENT', 'EACCES', 'EISDIR', 'ENOTFOUND', 'ENOSPC'])
    t.notOk(isPassing(coded(code)), code);
  t.ok(isPassing(new TypeError('fetch failed', { cause: coded('ECONNRESET') })));
  t.ok(isPassing(new AggregateError([coded('ENOENT'), coded('ETIMEDOUT')])));
  t.notOk(isPassing('EIO'));
  t.notOk(isPassing(new TypeError('no')));
});

t.test('what is read is told, and what is large or slow is told apart', async (t) => {
  const { access, reads, excesses } = open({ maxBytes: 10e6, minBytesPerSecond: 2e6 });
  const read = (bytes: number, seconds: number): DependencyRead => ({
    source: 'bundle',
    name: 'f',
    bytes,
    seconds,
  });
  access.measure(read(4e6, 1));
  access.measure(read(999_999, 100));
  t.same(excesses, [], 'small reads are not judged by their rate');
  access.measure(read(11e6, 1));
  access.measure(read(1e6, 1));
  t.equal(reads.length, 4);
  t.same(
    excesses.map(({ event, value, limit, unit }) => [event, value, limit, unit]),
    [
      ['source_large', 11, 10, 'MB'],
      ['source_slow', 1, 2, 'MB/s'],
    ],
  );
  createDependencyAccess().measure(read(1e12, 1e12));
});
