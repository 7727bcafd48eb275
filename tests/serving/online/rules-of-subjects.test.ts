import { join } from 'node:path';
import t from 'tap';
import { createSlateCache } from '../../../src/serving/cache/slate-cache.js';
import { createShownCounts } from '../../../src/serving/online/shown-counts.js';
import { clickOf, ITEMS_FORM, LIVE_SCENARIOS, publishLiveBundle } from '../../support/live-bundle.js';
import { beginLive, QUIET, THREADS } from '../../support/live-service.js';

const models = join(t.testdir(), 'models');
await publishLiveBundle(models);

const KNOWN = { userId: 'u3' };
const VISITOR = { sessionId: 'v-6yTq0Zc1' };

for (const computing of [{}, THREADS]) {
  const where = 'threads' in computing ? 'in threads' : 'in the thread that asks';

  t.test(`computed ${where}, a rule takes out what was purchased, and leaves what was clicked`, async (t) => {
    const home = LIVE_SCENARIOS.get('home')!;
    const shop = { ...home, name: 'shop', rules: [{ seen: { types: ['purchase'], days: 30 } }] };
    const { store, ask } = await beginLive(t, {
      models,
      ...computing,
      scenarios: new Map([...LIVE_SCENARIOS, ['shop', shop]]),
    });
    for (const subject of [KNOWN, VISITOR]) {
      const candidates = ['i1', 'i2', 'i3'];
      const asked = async () => (await ask(subject, { scenario: 'shop', candidates })).itemIds.toSorted();
      const before = await asked();
      await store.keep([clickOf(subject, 'i1')]);
      t.same(await asked(), before);
      await store.keep([{ ...clickOf(subject, 'i2'), type: 'purchase' }, clickOf(subject, 'i2')]);
      t.same(
        await asked(),
        before.filter((itemId) => itemId !== 'i2'),
      );
    }
  });

  t.test(`computed ${where}, what was shown too often sinks, kept answers too`, async (t) => {
    const home = LIVE_SCENARIOS.get('home')!;
    const fatigue = { shown: 2, days: 7, strength: 1 };
    const scenarios = new Map([
      ...LIVE_SCENARIOS,
      ['home', { ...home, rules: [...home.rules, { fatigue }] }],
    ]);
    const shownCounts = createShownCounts(scenarios)!;
    const slates = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: QUIET });
    const clock = (): number => Date.now() / 1000;
    const { ask } = await beginLive(t, {
      models,
      ...computing,
      scenarios,
      shownCounts,
      clock,
      cache: slates,
    });
    const show = async () => {
      const { itemIds, cache } = await ask(KNOWN, { limit: 3 }, { form: ITEMS_FORM });
      shownCounts.add(KNOWN, itemIds, clock());
      return { itemIds, cache };
    };
    const [first, second, third] = [await show(), await show(), await show()];
    t.equal(second.cache, 'hit');
    t.same(second.itemIds, first.itemIds);
    t.equal(third.cache, 'miss');
    t.equal(third.itemIds.length, 3);
    t.notOk(third.itemIds.some((itemId) => first.itemIds.includes(itemId)));
  });
}
