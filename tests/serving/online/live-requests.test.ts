import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import type { UserEvent } from '../../../src/domain/event.js';
import { IdIndex } from '../../../src/domain/id-index.js';
import { processClock } from '../../../src/domain/process-clock.js';
import type { Subject } from '../../../src/domain/subject.js';
import { openEngine } from '../../../src/engine/open-engine.js';
import { createMetrics } from '../../../src/observability/metrics/metrics.js';
import type { PreparedDataset } from '../../../src/offline/data/prepared-dataset.js';
import { createServedBundle } from '../../../src/serving/bundle-life/served-bundle.js';
import { createSlateCache } from '../../../src/serving/cache/slate-cache.js';
import { openRecommender } from '../../../src/serving/experiments/open-recommender.js';
import { prefetchSubject } from '../../../src/serving/online/prefetch-subject.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import type { Recommender, Run } from '../../../src/serving/recommender.js';
import { buildSettings } from '../../http/build.js';
import {
  clickOf,
  ITEMS_FORM,
  LIVE_SCENARIOS,
  openEvents,
  publishLiveBundle,
  requestOf,
} from '../../support/live-bundle.js';
import { inspectionOf, readInspection } from '../../support/inspection.js';
import { asker, beginLive, QUIET, THREADS } from '../../support/live-service.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import { writeWatchedBundle } from '../../support/trained-bundle.js';

const dir = t.testdir();
const models = join(dir, 'models');
const begin = (t: Test, options: Partial<Parameters<typeof beginLive>[1]> = {}) =>
  beginLive(t, { models, ...options });
const COUNTING = { negative: ['dislike'] };
await publishLiveBundle(models, { counting: COUNTING });

/** A known user, who has a history in the bundle. */
const KNOWN = { userId: 'u3' };
const UNKNOWN = { userId: 'somebody new' };
const VISITOR = { sessionId: 'v-6yTq0Zc1' };

const dislikeOf = (subject: Subject, itemId: string): UserEvent => ({
  ...clickOf(subject, itemId),
  type: 'dislike',
});

for (const computing of [{}, THREADS]) {
  const where = 'threads' in computing ? 'in threads' : 'in the thread that asks';

  t.test(`computed ${where}, a request that begins after an event is kept has seen it`, async (t) => {
    const { store, ask } = await begin(t, computing);
    const before = await ask(KNOWN);
    t.match(before, { strategy: 'personalised', degraded: [] });
    for (let times = 0; times < 5; times++) {
      const [itemId] = (await ask(KNOWN)).itemIds;
      await store.keep([clickOf(KNOWN, itemId!)]);
      t.notOk((await ask(KNOWN)).itemIds.includes(itemId!), 'what was clicked is seen');
    }
  });

  t.test(`computed ${where}, an inspection tells what was done since the training apart`, async (t) => {
    const { store, service, ask } = await begin(t, computing);
    const [itemId] = (await ask(KNOWN)).itemIds;
    const event = clickOf(KNOWN, itemId!);
    await store.keep([event]);
    const inspect = async (changes: Partial<RecommendationRequest> = {}) => {
      const request = { ...requestOf(KNOWN), ...changes };
      return readInspection(await service.inspect(inspectionOf(request, { about: [itemId!] })));
    };
    const { history, slate, items } = await inspect();
    t.match(history.at(-1), {
      itemId,
      from: 'live',
      type: event.type,
      time: new Date(1000 * event.time).toISOString(),
    });
    t.ok(history.slice(0, -1).every(({ from }) => from === 'bundle'));
    t.same(
      slate.map((place) => place.itemId),
      (await ask(KNOWN)).itemIds,
      'the list that the next request gets',
    );
    const day = new Date(1000 * event.time).toISOString().slice(0, 10);
    t.match(items, [{ verdict: 'removed_by_rule', detail: `since ${day}, by an event` }]);
    const given = await inspect({ history: [{ itemId: itemId! }] });
    t.match(given.history, [{ itemId, from: 'request' }], 'a history that is given takes the place of all');
  });

  t.test(`computed ${where}, whoever nobody knew is known after one click`, async (t) => {
    const { store, ask } = await begin(t, computing);
    for (const subject of [UNKNOWN, VISITOR]) {
      const before = await ask(subject);
      t.equal(before.strategy, 'cold-start');
      const [itemId] = before.itemIds;
      await store.keep([clickOf(subject, itemId!)]);
      const after = await ask(subject);
      t.equal(after.strategy, 'personalised');
      t.not(after.itemIds.join(), before.itemIds.join());
      t.notOk(after.itemIds.includes(itemId!));
    }
  });
}

t.test('a session is no user of its id, and a user takes the session along', async (t) => {
  const { store, ask } = await begin(t);
  await store.keep([clickOf({ sessionId: 'x' }, 'i001')]);
  t.equal((await ask({ userId: 'x' })).strategy, 'cold-start');
  t.equal((await ask({ sessionId: 'x' })).strategy, 'personalised');
  const together = await ask({ userId: 'x', sessionId: 'x' });
  t.equal(together.strategy, 'personalised');
  t.notOk(together.itemIds.includes('i001'));
});

t.test(
  'an item that is not wanted is in no answer, whatever the rules say, until it is wanted again',
  async (t) => {
    const { store, ask } = await begin(t);
    for (const scenario of ['bare', 'home', 'popular']) {
      const subject = { userId: `who dislikes what is ${scenario}` };
      await store.keep([clickOf(subject, 'i010')]);
      const [itemId] = (await ask(subject, { scenario })).itemIds;
      await store.keep([dislikeOf(subject, itemId!)]);
      const after = await ask(subject, { scenario, limit: 60 });
      t.ok(after.itemIds.length > 40);
      t.notOk(after.itemIds.includes(itemId!), scenario);
    }
    const subject = { userId: 'who thinks again' };
    await store.keep([clickOf(subject, 'i010'), dislikeOf(subject, 'i020')]);
    t.notOk((await ask(subject, { scenario: 'bare', limit: 60 })).itemIds.includes('i020'));
    await store.keep([clickOf(subject, 'i020')]);
    t.ok((await ask(subject, { scenario: 'bare', limit: 60 })).itemIds.includes('i020'));
  },
);

t.test('what is not wanted any more is no history', async (t) => {
  const { store, ask } = await begin(t);
  await store.keep([clickOf(UNKNOWN, 'i001'), clickOf(VISITOR, 'i001')]);
  t.equal((await ask(UNKNOWN)).strategy, 'personalised');
  await store.keep([dislikeOf(UNKNOWN, 'i001')]);
  t.equal((await ask(UNKNOWN)).strategy, 'cold-start', 'of a history of one click nothing is left');
  t.equal((await ask(VISITOR)).strategy, 'personalised');
  const { folder: bundle } = await findBundle();
  const engine = await openEngine(bundle, LIVE_SCENARIOS);
  const items = [...engine.histories.find(KNOWN.userId).items].map((item) =>
    engine.catalogue.entities.idAt(item),
  );
  t.equal((await ask(KNOWN)).strategy, 'personalised');
  await store.keep(items.map((itemId) => dislikeOf(KNOWN, itemId)));
  t.equal((await ask(KNOWN)).strategy, 'cold-start', 'nor of the history of the bundle');
});

async function findBundle(channel = 'staging'): Promise<{ folder: string }> {
  const registry = createFolderRegistry(models);
  return { folder: await registry.pathOf((await registry.readChannel(channel)).version) };
}

t.test('events count as the bundle says that training counted them', async (t) => {
  const { store, liveHistories } = await begin(t);
  const purchase = (itemId: string, value: number): UserEvent => ({
    ...clickOf(UNKNOWN, itemId),
    type: 'purchase',
    value,
  });
  await store.keep([purchase('i005', 3), clickOf(UNKNOWN, 'i006'), purchase('i007', 1)]);
  const { folder } = await findBundle();
  const engine = await openEngine(folder, LIVE_SCENARIOS);
  const valuesBy = async (counting: typeof engine.counting) => {
    const facts = await prefetchSubject(
      requestOf(UNKNOWN),
      { ...engine, counting },
      { liveHistories, online: [] },
    );
    return facts.live && [...facts.live.items].map((item, at) => [item, facts.live!.values[at]]);
  };
  t.same(await valuesBy(undefined), [
    [5, 3],
    [6, 1],
    [7, 1],
  ]);
  t.same(await valuesBy({ weights: { purchase: 5 }, minimumValue: 2 }), [[5, 15]]);
  t.same(await valuesBy({ weights: { purchase: 5, click: 0.5 } }), [
    [5, 15],
    [6, 0.5],
    [7, 5],
  ]);
  t.same(await valuesBy({ weights: { hover: 1 } }), undefined);
});

t.test('users without events keep what the cache has of them, and the others see their events', async (t) => {
  const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: QUIET });
  const { store, ask } = await begin(t, { cache });
  const without = createServedBundle({
    registry: createFolderRegistry(models),
    channel: 'staging',
    scenarios: LIVE_SCENARIOS,
    cache: { ...cache, close: () => undefined },
  });
  await without.reload();
  t.teardown(() => without.close());
  const askFormed = (subject: Subject, recommender?: Recommender) =>
    (recommender ? asker(recommender) : ask)(subject, {}, { form: ITEMS_FORM });
  const [quiet, busy] = [{ userId: 'u7' }, { userId: 'u8' }];
  t.equal((await askFormed(quiet, without)).cache, 'miss');
  t.equal((await askFormed(quiet)).cache, 'hit', 'the key is what it was before events were kept');
  t.equal((await askFormed(busy)).cache, 'miss');
  t.equal((await askFormed(busy)).cache, 'hit');
  const seen: string[] = [];
  for (let times = 0; times < 3; times++) {
    const [itemId] = (await askFormed(busy)).itemIds;
    await store.keep([clickOf(busy, itemId!)]);
    seen.push(itemId!);
    const after = await askFormed(busy);
    t.equal(after.cache, 'miss', 'each event makes another key');
    t.same(
      seen.filter((item) => after.itemIds.includes(item)),
      [],
    );
    t.equal((await askFormed(busy)).cache, 'hit', 'which is kept');
    t.equal((await askFormed(quiet)).cache, 'hit');
  }
  t.equal((await askFormed(busy, without)).cache, 'hit', 'without events there is the answer of before');
});

t.test('an event that comes while an answer is computed is in the next one', async (t) => {
  const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: QUIET });
  const { store, ask } = await begin(t, { cache, ...THREADS });
  const run = { form: ITEMS_FORM };
  const underWay = ask(KNOWN, {}, run);
  await store.keep([clickOf(KNOWN, 'i030')]);
  const next = ask(KNOWN, {}, run);
  t.equal((await underWay).cache, 'miss');
  t.equal((await next).cache, 'miss', 'it joins no one who has not seen the event');
  t.notOk((await next).itemIds.includes('i030'));
  t.equal((await ask(KNOWN, {}, run)).cache, 'hit');
});

t.test('drift looks at what the bundle knows alone', async (t) => {
  const registry = join(t.testdir(), 'models');
  await createFolderRegistry(registry).publish(
    (await writeWatchedBundle(join(t.testdirName, 'trained'))).folder,
  );
  const windows: unknown[] = [];
  const { store, ask } = await begin(t, {
    folder: join(t.testdirName, 'events'),
    registry: createFolderRegistry(registry),
    drift: { sampleShare: 1, windowRequests: 20, onWindow: (drifts) => void windows.push(drifts) },
  });
  const askAll = async (): Promise<number> => {
    for (let user = 0; user < 25; user++) await ask({ userId: `u${user}` });
    await new Promise((done) => setImmediate(done));
    return windows.length - 1;
  };
  t.equal(await askAll(), 1, 'control: a window is full');
  await store.keep(Array.from({ length: 25 }, (_, user) => clickOf({ userId: `u${user}` }, 'i040')));
  t.equal(await askAll(), 1);
  t.equal(await askAll(), 1);
});

t.test(
  'histories that cannot be read cost the events, and no answer: it says so, and is not kept',
  async (t) => {
    const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: QUIET });
    const metrics = createMetrics({ processMetrics: false });
    const { folder, store, ask } = await begin(t, { cache, liveMetrics: metrics.events });
    const run = { form: ITEMS_FORM };
    const bundled = await ask(KNOWN, {}, run);
    await store.keep([clickOf(KNOWN, bundled.itemIds[0]!)]);
    const live = await ask(KNOWN, {}, run);
    t.not(live.itemIds.join(), bundled.itemIds.join());
    const condemnation = join(folder, 'events.sqlite.damaged');
    writeFileSync(condemnation, 'a page is wrong\n');
    const failed = await askUntil(
      () => ask(KNOWN, {}, run),
      ({ degraded }) => degraded.length > 0,
    );
    t.same(failed.degraded, [{ stage: 'history', reason: 'history_failed' }]);
    t.equal(failed.strategy, 'personalised');
    t.same(failed.itemIds, bundled.itemIds, 'the history of the bundle');
    t.equal((await ask(KNOWN, {}, run)).cache, 'miss', 'nobody gets it who could have more');
    t.match(await ask(VISITOR), { strategy: 'cold-start', degraded: [{ stage: 'history' }] });
    t.match(await ask({}, { scenario: 'popular' }), { degraded: [] }, 'who has no history misses nothing');
    rmSync(condemnation);
    const again = await askUntil(
      () => ask(KNOWN, {}, run),
      ({ degraded }) => degraded.length === 0,
    );
    t.same(again.itemIds, live.itemIds);
    t.match(await metrics.render(), /shortlist_live_history_requests_total\{outcome="failed"\} [1-9]/);
  },
);

/** Files are looked at once a second. */
async function askUntil<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  const until = processClock() + 30_000;
  for (;;) {
    const answer = await ask();
    if (isIt(answer) || processClock() > until) return answer;
    await wait(50);
  }
}

t.test('what most people chose is asked with what somebody did lately too', async (t) => {
  const { folder, store, ask } = await begin(t, THREADS);
  const late = (): Run => ({ deadline: processClock() - 1 });
  const before = await ask(UNKNOWN, {}, late());
  t.match(before.degraded, [{ stage: 'pipeline' }]);
  const [clicked, disliked] = before.itemIds;
  await store.keep([clickOf(UNKNOWN, clicked!), dislikeOf(UNKNOWN, disliked!)]);
  const after = await ask(UNKNOWN, {}, late());
  t.match(after.degraded, [{ stage: 'pipeline' }]);
  t.notOk(after.itemIds.includes(clicked!));
  t.notOk((await ask(UNKNOWN, { scenario: 'bare' }, late())).itemIds.includes(disliked!));
  writeFileSync(join(folder, 'events.sqlite.damaged'), 'a page is wrong\n');
  const lost = await askUntil(
    () => ask(UNKNOWN, {}, late()),
    ({ degraded }) => degraded.length > 1,
  );
  t.same(
    lost.degraded.map(({ stage }) => stage),
    ['history', 'pipeline'],
  );
  t.same(lost.itemIds, before.itemIds);
});

t.test('metrics say how many requests had something live, and what reading took', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const { store, ask } = await begin(t, { liveMetrics: metrics.events });
  await store.keep([clickOf(UNKNOWN, 'i001'), clickOf(VISITOR, 'an item that came later')]);
  await ask(UNKNOWN);
  await ask(UNKNOWN);
  await ask(KNOWN);
  await ask(VISITOR);
  await ask({}, { scenario: 'popular' });
  const text = await metrics.render();
  t.match(text, 'shortlist_live_history_requests_total{outcome="used"} 2\n');
  t.match(
    text,
    'shortlist_live_history_requests_total{outcome="none"} 2\n',
    'what no bundle knows is nothing',
  );
  t.match(text, 'shortlist_live_history_read_seconds_count 4\n', 'who is nobody has nothing to be read');
});

/** The dataset of the tests with other ids for its items, so that every index is of another item. */
function renamed(rename: (id: string) => string): PreparedDataset {
  const dataset = createSyntheticDataset();
  const items = new IdIndex(dataset.catalogue.entities.ids.map(rename));
  return {
    ...dataset,
    interactions: { ...dataset.interactions, items },
    catalogue: { ...dataset.catalogue, entities: items },
  };
}

t.test('a swap translates the same events for the bundle that comes', async (t) => {
  const registry = join(t.testdir(), 'models');
  await publishLiveBundle(registry);
  const { store, service, ask } = await begin(t, {
    folder: join(t.testdirName, 'events'),
    registry: createFolderRegistry(registry),
  });
  await store.keep([clickOf(UNKNOWN, 'i001'), clickOf(VISITOR, 'j000')]);
  const items = async (subject: Subject): Promise<readonly string[]> =>
    (await ask(subject, { limit: 60 })).itemIds;
  t.equal((await ask(UNKNOWN)).strategy, 'personalised');
  t.equal((await ask(VISITOR)).strategy, 'cold-start', 'this bundle has no such item');
  t.notOk((await items(UNKNOWN)).includes('i001'));
  // What was item 1 is item 0, and the other way round: `j…` sorts after `i…`.
  await publishLiveBundle(registry, {
    dataset: renamed((id) => (id === 'i000' ? 'i001' : id === 'i001' ? 'j000' : id)),
    createdAt: '2026-02-02T03:04:05Z',
  });
  await service.reload();
  t.equal((await ask(VISITOR)).strategy, 'personalised');
  t.notOk((await items(UNKNOWN)).includes('i001'));
  t.ok((await items(UNKNOWN)).includes('j000'));
  t.notOk((await items(VISITOR)).includes('j000'));
  t.ok((await items(VISITOR)).includes('i001'));
});

t.test('canary and shadow have the events in terms of their own bundles', async (t) => {
  const registry = join(t.testdir(), 'models');
  await publishLiveBundle(registry, { channel: 'production' });
  await publishLiveBundle(registry, {
    channel: 'candidate',
    dataset: renamed((id) => id.replace('i', 'k')),
    createdAt: '2026-02-02T03:04:05Z',
  });
  const { store, liveHistories } = await openEvents(t, join(t.testdirName, 'events'));
  const logger = pino({ level: 'silent' });
  const metrics = createMetrics({ processMetrics: false });
  const trial = { channel: 'candidate', share: 0.5, scenarios: ['home'] };
  const settings = buildSettings({ canary: trial, shadow: { ...trial, share: 1 } });
  const { recommender, admin, shadow } = openRecommender(
    {
      registry: createFolderRegistry(registry),
      channel: 'production',
      scenarios: LIVE_SCENARIOS,
      liveHistories,
      liveMetrics: metrics.events,
    },
    { settings, logger, metrics },
  );
  t.teardown(() => admin.close());
  const opened = new Promise<void>((resolve) =>
    admin.onChange!(() => {
      if (admin.describe()!.trials!.every(({ state }) => state !== 'opening')) resolve();
    }),
  );
  await admin.reload();
  await opened;
  const users = Array.from({ length: 20 }, (_, at) => ({ userId: `new-${at}` }));
  const answers = await Promise.all(users.map(async (user) => recommender.recommend(requestOf(user), {})));
  const isCanary = answers.map(({ release }) => release === 'canary');
  t.same(new Set(isCanary), new Set([true, false]));
  // Of the items of the canary's bundle alone, and then of stable's.
  await store.keep(users.map((user) => clickOf(user, 'k002')));
  const scored: string[] = [];
  for (const [at, user] of users.entries()) {
    const { facts } = await recommender.recommend(requestOf(user), {});
    t.equal(facts.strategy, isCanary[at] ? 'personalised' : 'cold-start');
    t.notOk(facts.itemIds.includes('k002'));
    shadow!.score(requestOf(user), ({ slate }) => void scored.push(slate.strategy));
    await shadow!.settle();
  }
  t.same(new Set(scored), new Set(['personalised']), 'the shadow has another bundle than stable');
  await store.keep(users.map((user) => clickOf(user, 'i002')));
  for (const user of users)
    t.equal((await recommender.recommend(requestOf(user), {})).facts.strategy, 'personalised');
  const stableRequests = 3 * isCanary.filter((is) => !is).length;
  const text = await metrics.render();
  const counts = [...text.matchAll(/shortlist_live_history_requests_total\{outcome="\w+"\} (\d+)/g)];
  t.equal(
    counts.reduce((sum, [, count]) => sum + Number(count), 0),
    stableRequests,
    'bundles that are tried are not counted',
  );
});
