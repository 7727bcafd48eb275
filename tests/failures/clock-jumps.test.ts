import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { timerMs } from '../../src/domain/timers.js';
import { createBreaker } from '../../src/features/circuit-breaker.js';
import { createSegmentWriter } from '../../src/events/segment-writer.js';
import { startTokenIssuer } from '../support/token-issuer.js';
import { build } from '../http/build.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Two clocks: the one that people set, and the one that nobody sets. */
function takeClocks(t: Test) {
  const wall = Date.now.bind(Date);
  const steady = performance.now.bind(performance);
  const ahead = { wallMs: 0, steadyMs: 0 };
  Date.now = () => wall() + ahead.wallMs;
  performance.now = () => steady() + ahead.steadyMs;
  t.teardown(() => {
    Date.now = wall;
    Reflect.deleteProperty(performance, 'now');
  });
  return {
    set: (ms: number) => void (ahead.wallMs += ms),
    pass: (ms: number) => {
      ahead.wallMs += ms;
      ahead.steadyMs += ms;
    },
  };
}

/** What keeps time: what it does right after the clock was set, and when its own time is over. */
const JUMPS = {
  'back by an hour': -HOUR_MS,
  'back by 40 days': -40 * DAY_MS,
  'ahead by 40 days': 40 * DAY_MS,
};

for (const [how, jumpMs] of Object.entries(JUMPS)) {
  t.test(`a rate limit lasts as long as it says when the clock is set ${how}`, async (t) => {
    const clocks = takeClocks(t);
    const { app } = build(t, { rateLimit: { requests: 2, windowSeconds: 60, store: 'memory' } });
    const ask = async (): Promise<number> => (await app.inject('/popular')).statusCode;
    t.same([await ask(), await ask(), await ask()], [200, 200, 429]);
    clocks.set(jumpMs);
    t.equal(await ask(), 429);
    clocks.pass(61_000);
    t.equal(await ask(), 200);
  });

  t.test(`a breaker tries again after its pause when the clock is set ${how}`, async (t) => {
    const clocks = takeClocks(t);
    const refusal = (): Error => new ShortlistError('FEATURES_FAILED', 'It is not asked.');
    let probes = 0;
    const hooks = { probe: async () => ++probes, onChange: () => undefined, refusal };
    const breaker = createBreaker({ calls: 1, failureShare: 0.5, probeAfterMs: 5000 }, hooks);
    await t.rejects(breaker.run(() => Promise.reject(refusal())));
    clocks.set(jumpMs);
    await t.rejects(breaker.run(async () => 1));
    t.equal(probes, 0, 'not before its pause is over');
    clocks.pass(5001);
    await t.rejects(breaker.run(async () => 1));
    t.equal(probes, 1);
  });

  t.test(`a new key of the issuer is found when the clock is set ${how}`, async (t) => {
    const clocks = takeClocks(t);
    const issuer = await startTokenIssuer(t);
    const { app } = build(t, {
      auth: { mode: 'required' },
      jwt: { ...build(t).settings.jwt, ...issuer.settings },
    });
    const ask = async (): Promise<number> => {
      // Tokens are judged by the time of the day, which the library reads past `Date.now`.
      const token = await issuer.sign({ exp: Math.floor(new Date().getTime() / 1000) + 600 });
      const headers = { authorization: `Bearer ${token}` };
      return (await app.inject({ url: '/recommendations/u1', headers })).statusCode;
    };
    t.equal(await ask(), 200);
    await issuer.rotate();
    clocks.set(jumpMs);
    t.equal(await ask(), 401, 'just asked');
    clocks.pass(11_000);
    t.equal(await ask(), 200);
  });

  t.test(`a segment is closed in time, by one timer, when the clock is set ${how}`, async (t) => {
    const clocks = takeClocks(t);
    const folder = join(t.testdir(), 'log');
    const told = { written: 0 };
    const observer = {
      written: (lines: number) => void (told.written += lines),
      dropped: () => undefined,
      changed: () => undefined,
    };
    const writer = createSegmentWriter({
      folder,
      maxSegmentBytes: 1e6,
      maxSegmentMs: 60_000,
      flushMs: 1,
      maxBufferBytes: 1e6,
      observer,
    });
    const write = async (line: string): Promise<void> => {
      const before = told.written;
      writer.append(line);
      while (told.written === before) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    await write('a\n');
    clocks.set(jumpMs);
    const set = t.capture(globalThis, 'setTimeout', globalThis.setTimeout);
    await write('b\n');
    const waits = set().map(({ args }) => args[1] as number);
    t.ok(Math.max(...waits) > 50_000 && Math.max(...waits) <= 60_000, `it waits ${Math.max(...waits)} ms`);
    t.equal(readdirSync(folder).length, 1, 'it is not old yet');
    set.restore();
    clocks.pass(60_001);
    await write('c\n');
    t.ok(readdirSync(folder).some((name) => name.endsWith('.jsonl')));
    await writer.close();
  });
}

t.test('a timer waits for no longer than Node can', (t) => {
  t.same([timerMs(40 * DAY_MS), timerMs(-5), timerMs(7)], [2 ** 31 - 1, 1, 7]);
  t.end();
});
