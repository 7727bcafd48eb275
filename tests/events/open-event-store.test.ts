import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { openEventStore } from '../../src/events/open-event-store.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from '../http/build.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { patient } from '../support/redis-view.js';
import { click } from './event-store-contract.js';

const clock = (): number => Date.now() / 1000;

/** The store of a folder as a server opens it, with its log and its metrics. */
async function begin(t: Test, folder: string) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'debug' },
    { write: (line: string) => void lines.push(JSON.parse(line) as never) },
  );
  const metrics = createMetrics({ processMetrics: false });
  const settings = buildSettings({ events: { enabled: true, folder, syncMs: 0 } });
  const { store, liveHistories } = (await openEventStore(settings, {
    logger,
    metrics: metrics.events,
    clock,
  }))!;
  t.teardown(() => store.close());
  return { store, liveHistories, lines, render: () => metrics.render() };
}

t.test('nothing is opened where events are not taken', async (t) => {
  const settings = buildSettings({ events: { enabled: false, folder: join(t.testdir(), 'events') } });
  const metrics = createMetrics({ processMetrics: false });
  t.equal(
    await openEventStore(settings, { logger: pino({ level: 'silent' }), metrics: metrics.events, clock }),
    undefined,
  );
  t.notMatch(await metrics.render(), 'shortlist_event_store_up{', 'what is absent raises no alert');
});

t.test('metrics say what became of events, what a commit took, and what is in the store', async (t) => {
  const folder = join(t.testdir(), 'events');
  const first = await begin(t, folder);
  t.match(first.lines, [{ msg: 'a new file of events is begun', folder }]);
  await first.store.keep([click({ eventId: 'a' }), click({ eventId: 'a' }), click({ type: 'purchase' })]);
  await first.store.keep([click({ eventId: 'b' })]);
  t.match(await first.render(), /shortlist_events_total\{type="click",outcome="accepted"\} 2\n/);
  t.match(await first.render(), /shortlist_events_total\{type="click",outcome="duplicate"\} 1\n/);
  t.match(await first.render(), /shortlist_events_total\{type="purchase",outcome="accepted"\} 1\n/);
  t.match(await first.render(), /shortlist_event_commit_seconds_count 2\n/);
  t.match(await first.render(), /shortlist_event_commit_events_total 4\n/);
  t.match(await first.render(), /shortlist_event_store_up\{store="local"\} 1\n/);
  const second = await begin(t, folder);
  t.match(await second.render(), /shortlist_event_store_rows 3\n/);
  t.match(await second.render(), /shortlist_event_store_uncompacted_rows 3\n/);
  t.match(await second.render(), /shortlist_event_store_bytes [1-9]\d{4}/);
  t.match(await second.render(), /shortlist_event_store_oldest_uncompacted_seconds \d\n/);
  t.same(second.lines, []);
});

t.test('a store that cannot keep events is an error in the log, and a line when it can again', async (t) => {
  const dir = t.testdir({ data: 'a file' });
  const { store, lines, render } = await begin(t, join(dir, 'data/events'));
  t.match(lines, [
    { level: 50, msg: 'events cannot be kept', kind: 'missing', reason: /ENOTDIR/, advice: String },
  ]);
  t.match(await render(), /shortlist_event_store_up\{store="local"\} 0\n/);
  await t.rejects(store.keep([click(), click()]), { code: 'EVENTS_UNAVAILABLE' });
  t.match(await render(), /shortlist_events_total\{type="click",outcome="unavailable"\} 2\n/);
  rmSync(join(dir, 'data'));
  await store.keep([click()]);
  t.match(lines.slice(1), [{ msg: 'a new file of events is begun' }, { msg: 'events are kept again' }]);
  t.match(await render(), /shortlist_event_store_up\{store="local"\} 1\n/);
});

t.test('senders cannot make a series for every word', async (t) => {
  const { store, render } = await begin(t, join(t.testdir(), 'events'));
  await store.keep(Array.from({ length: 30 }, (_, index) => click({ type: `t${index}` })));
  await store.keep([click({ type: 't3' }), click({ type: 't29' })]);
  const text = await render();
  t.equal(text.match(/^shortlist_events_total\{/gm)?.length, 21);
  t.match(text, /type="other",outcome="accepted"\} 11\n/);
  t.match(text, /type="t3",outcome="accepted"\} 2\n/);
});

t.test(
  'a store in Redis has the same metrics, and says what its disk does not have',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await startRedisServer(t);
    const begin = async (durability: 'required' | 'memory') => {
      const lines: Record<string, unknown>[] = [];
      const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as never) });
      const metrics = createMetrics({ processMetrics: false });
      const events = { enabled: true, store: 'redis', durability, syncMs: 0 } as const;
      const settings = buildSettings({ events, redis: patient(server.url) });
      const { store, liveHistories } = (await openEventStore(settings, {
        logger,
        metrics: metrics.events,
        clock,
      }))!;
      t.teardown(() => store.close());
      return { store, liveHistories, lines, render: () => metrics.render() };
    };
    const lax = await begin('memory');
    await lax.store.keep([click({ eventId: 'a', time: clock() }), click({ eventId: 'a' })]);
    t.match(await lax.liveHistories.find({ userId: 'u1' }), [{ itemId: 'i1' }]);
    const text = await lax.render();
    t.match(text, /shortlist_event_store_up\{store="redis"\} 1\n/);
    t.match(text, /shortlist_event_durability_lost 1\n/);
    t.match(text, /shortlist_events_total\{type="click",outcome="duplicate"\} 1\n/);
    t.match(lax.lines, [
      {
        level: 40,
        msg: 'events may be lost in a crash of Redis',
        kind: 'unsynced',
        reason: /appendonly is no/,
      },
    ]);
    const strict = await begin('required');
    t.match(await strict.render(), /shortlist_event_store_uncompacted_rows 1\n/);
    t.match(await strict.render(), /shortlist_event_stream_lag\{stream="\d+"\} 1\n/);
    t.match(await strict.render(), /shortlist_event_durability_lost 0\n/, 'nothing was written yet');
    await t.rejects(strict.store.keep([click()]), { code: 'EVENTS_UNAVAILABLE' });
    t.match(await strict.render(), /shortlist_event_store_up\{store="redis"\} 0\n/);
    t.match(strict.lines.at(-1), { level: 50, msg: 'events cannot be kept', advice: /appendonly yes/ });
  },
);
