import { join } from 'node:path';
import { writeFileSync, readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { formatChecksum } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { CHECKSUM_FILE, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import type { HistoryEvent } from '../../src/domain/event.js';
import { openLocalForgottenUsers } from '../../src/events/forgotten/local-forgotten-users.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { createServedBundle, type ServedBundleOptions } from '../../src/serving/bundle-life/served-bundle.js';
import { createSlateCache } from '../../src/serving/cache/slate-cache.js';
import type { SlateForm } from '../../src/serving/recommender.js';
import { inspectionOf, readInspection } from '../support/inspection.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const { folder, dataset } = await writeSmallBundle(join(t.testdir(), 'trained'));

const REQUEST: RecommendationRequest = {
  subject: { userId: 'u3' },
  scenario: 'home',
  limit: 5,
  exclude: [],
  filters: [],
  explain: 'none',
};

const ignore = (): void => undefined;
const quiet = { lookedUp: ignore, joined: ignore, notKept: ignore, sized: ignore };

/** A bundle that is served beside a list of forgotten users. @param forgottenUntil what its manifest says */
async function serve(
  t: Test,
  options: Partial<ServedBundleOptions> & { forgottenUntil?: number; clock?: () => number } = {},
) {
  const { forgottenUntil, clock = () => Date.now() / 1000, ...others } = options;
  const dir = t.testdir();
  const forgotten = openLocalForgottenUsers({
    folder: join(dir, 'forgotten'),
    clock,
    observer: { sized: ignore, changed: ignore },
  });
  const registry = createFolderRegistry(join(dir, 'models'));
  const manifest = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')) as object;
  const text = JSON.stringify({ ...manifest, ...(forgottenUntil !== undefined && { forgottenUntil }) });
  writeFileSync(join(folder, MANIFEST_FILE), text);
  writeFileSync(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
  await registry.publish(folder);
  const served = createServedBundle({
    registry,
    channel: 'staging',
    scenarios: SCENARIOS,
    forgotten,
    ...others,
  });
  await served.reload();
  t.teardown(() => served.close());
  const ask = async (changes: Partial<RecommendationRequest> = {}, form?: SlateForm) => {
    const { facts, cache, report } = await served.recommend(
      { ...REQUEST, ...changes },
      { form, capture: { features: true } },
    );
    return { strategy: facts.strategy, items: facts.itemIds, cache, features: report?.features };
  };
  const inspect = async () => readInspection(await served.inspect(inspectionOf(REQUEST)));
  return { ask, forgotten, inspect };
}

t.test(
  'a user who is forgotten is one whom the bundle does not know, from the next request on',
  async (t) => {
    const { ask, forgotten } = await serve(t);
    const known = await ask();
    t.equal(known.strategy, 'personalised');
    await forgotten.add('u3');
    const { features: _ours, ...forgot } = await ask();
    const { features: _theirs, ...stranger } = await ask({ subject: { userId: 'nobody knows me' } });
    t.equal(forgot.strategy, 'cold-start');
    t.same(forgot, stranger);
    t.notSame(forgot.items, known.items);
    const other = await ask({ subject: { userId: 'u4' } });
    t.equal(other.strategy, 'personalised', 'and nobody else is');
  },
);

t.test('an inspection does not know the user either', async (t) => {
  const { inspect, forgotten } = await serve(t);
  const known = await inspect();
  t.ok(known.history.length > 0);
  await forgotten.add('u3');
  t.match(await inspect(), { strategy: 'cold-start', history: [], rules: [{ removed: 0 }] });
});

t.test('the history that rules read is forgotten too', async (t) => {
  const { ask, forgotten } = await serve(t);
  const { item, user } = dataset.interactions;
  const u3 = dataset.users.entities.find('u3');
  const seen = Array.from(item)
    .filter((_, row) => user[row] === u3)
    .map((index) => dataset.catalogue.entities.idAt(index));
  const all = { limit: 100, candidates: seen };
  t.same((await ask(all)).items, [], 'what was seen is excluded');
  await forgotten.add('u3');
  t.same((await ask(all)).items.toSorted(), [...new Set(seen)].sort());
});

t.test(
  'an answer that was kept before is not given any more, and that of after is kept by itself',
  async (t) => {
    const cache = createSlateCache({ maxBytes: 1e6, ttlMs: 60_000, jitterShare: 0, observer: quiet });
    const { ask, forgotten } = await serve(t, { cache });
    const form: SlateForm = {
      name: 'Items',
      write: ({ items }) => Buffer.from(`${items.length}`),
      isWritten: () => true,
    };
    const known = await ask({}, form);
    t.match(await ask({}, form), { cache: 'hit', items: known.items });
    await forgotten.add('u3');
    t.match(await ask({}, form), { cache: 'miss', strategy: 'cold-start' });
    t.match(await ask({}, form), { cache: 'hit', strategy: 'cold-start' });
  },
);

t.test('a bundle that was made without a user knows them again, once they came back', async (t) => {
  const { ask, forgotten } = await serve(t, { forgottenUntil: 5000, clock: () => 5000 });
  t.equal(await forgotten.add('u3'), 5000);
  t.equal((await ask()).strategy, 'personalised');
  t.ok((await forgotten.add('u3')) > 5000, 'who asks again');
  t.equal((await ask()).strategy, 'cold-start', 'is forgotten again');
});

t.test('what a user did after being forgotten counts, what is of before does not', async (t) => {
  const events: HistoryEvent[] = [
    { itemId: dataset.catalogue.entities.idAt(1), type: 'click', time: 4000 },
    { itemId: dataset.catalogue.entities.idAt(2), type: 'click', time: 5059 },
  ];
  const later = { itemId: dataset.catalogue.entities.idAt(3), type: 'click', time: 5061 };
  for (const answer of [<T>(value: T) => value, async <T>(value: T) => value]) {
    const found = [...events];
    const { ask, forgotten } = await serve(t, {
      clock: () => 5000,
      liveHistories: { find: ({ userId }) => answer(userId === 'new' || userId === 'u3' ? found : []) },
    });
    const subject = { subject: { userId: 'new' } };
    t.equal((await ask(subject)).strategy, 'personalised');
    await forgotten.add('new');
    await forgotten.add('u3');
    t.equal((await ask(subject)).strategy, 'cold-start');
    found.push(later);
    const { features, ...back } = await ask();
    t.equal(back.strategy, 'personalised');
    t.same(
      features?.live?.map(({ item }) => item),
      [later.itemId],
    );
    const { features: theirs, ...stranger } = await ask(subject);
    t.same(back, stranger, 'by what is new alone');
    t.same([...features!.values], [...theirs!.values]);
    t.equal(features?.isForgotten, true, 'and the feature log can say so');
  }
});
