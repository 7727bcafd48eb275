import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { createServedBundle } from '../../src/serving/bundle-life/served-bundle.js';
import { createSlateCache } from '../../src/serving/cache/slate-cache.js';
import { toOverrides } from '../../src/overrides/parse-overrides.js';
import { NO_OVERRIDES } from '../../src/rules/overrides.js';
import type { SlateForm } from '../../src/serving/recommender.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir();
const { folder } = await writeSmallBundle(join(dir, 'trained'));
const registry = createFolderRegistry(join(dir, 'models'));
await registry.publish(folder);

const request: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'home',
  limit: 5,
  exclude: [],
  filters: [],
  explain: 'none',
};

const quiet = { lookedUp: ignore, joined: ignore, notKept: ignore, sized: ignore };

t.test('a slate that two routes write in two ways is kept once for each', async (t) => {
  const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: quiet });
  const served = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS, cache });
  await served.reload();
  t.teardown(() => served.close());
  const ask = async (name: string) => {
    const { cache: outcome, body } = await served.recommend(request, { form: formOf(name) });
    return [outcome, body?.toString()];
  };
  t.same(await ask('Long'), ['miss', 'Long of 5']);
  t.same(await ask('Short'), ['miss', 'Short of 5']);
  t.same(await ask('Long'), ['hit', 'Long of 5']);
});

t.test('a run without a form goes past the cache', async (t) => {
  const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: quiet });
  const served = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS, cache });
  await served.reload();
  t.teardown(() => served.close());
  for (let time = 0; time < 2; time++)
    t.match(await served.recommend(request, {}), { cache: 'off', body: undefined, report: {} });
});

t.test(
  'an answer by overrides that were in force for a moment only is not kept for those before and after',
  async (t) => {
    const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: quiet });
    const state = { overrides: NO_OVERRIDES, asked: Number.NEGATIVE_INFINITY };
    const none = { ...NO_OVERRIDES };
    const served = createServedBundle({
      registry,
      channel: 'staging',
      scenarios: SCENARIOS,
      cache,
      overrides: { current: () => state.overrides },
      clock: () => {
        // The key is named, and next the request is hydrated.
        if (++state.asked === 2) state.overrides = pinned;
        return 1_710_000_000;
      },
    });
    await served.reload();
    t.teardown(() => served.close());
    const before = (await served.recommend(request, {})).facts.itemIds;
    const pinned = toOverrides({ overrides: [{ pin: { item: before[4]!, position: 1 } }] });
    state.asked = 0;
    const form: SlateForm = {
      ...formOf('Long'),
      write: ({ items }) => {
        state.overrides = none;
        return Buffer.from(items.map(({ itemId }) => itemId).join());
      },
    };
    const during = await served.recommend(request, { form });
    t.equal(during.facts.itemIds[0], before[4], 'it was answered by what was in force meanwhile');
    const after = await served.recommend(request, { form });
    t.same([after.cache, after.facts.itemIds], ['miss', before]);
  },
);

function formOf(name: string): SlateForm {
  return { name, write: ({ items }) => Buffer.from(`${name} of ${items.length}`), isWritten: () => true };
}

function ignore(): void {}
