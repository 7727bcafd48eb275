import { join } from 'node:path';
import t from 'tap';
import { type Manifest } from '../../../../src/bundle/manifest.js';
import { parseManifest } from '../../../../src/bundle/parse-manifest.js';
import { closeEngine } from '../../../../src/engine/close-engine.js';
import type { LiveHistory } from '../../../../src/domain/history.js';
import { openEngine } from '../../../../src/engine/open-engine.js';
import { recommend } from '../../../../src/pipeline/recommend.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { trainPrepared } from '../../../../src/offline/training/bundle/train-dataset.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';
import { compacted } from '../../data/prepare/compacted-events.js';
import { rowsOf, tryPrepare, type TestWithFolder, type TryDataset } from '../../data/prepare/try-prepare.js';

/** Views of the synthetic dataset, the last of its users' dislike of an item that they viewed, and what happened since. */
function synthetic(): { wanted: TryDataset; user: string; liked: string; disliked: string } {
  const rows = rowsOf(createSyntheticDataset());
  const latest = Math.max(...rows.map(([, , time]) => time));
  const [user, disliked] = rows.at(-1)!;
  const [, liked] = rows.find(([, item]) => rows.every((row) => row[0] !== user || row[1] !== item))!;
  const lines = rows.map(([user, item, time]) => `${user},${item},${time},view`);
  return {
    user,
    liked,
    disliked,
    wanted: {
      files: {
        'log.csv': ['user_id,item_id,timestamp,type', ...lines].join('\n'),
        'events/parquet/events-20240312-0a.parquet': compacted(
          { user, item: liked, type: 'purchase', value: 2, time: latest + 10 },
          { user, item: disliked, type: 'dislike', time: latest + 20 },
          { user: 'newcomer', item: 'new item', type: 'view', time: latest + 30 },
        ),
      },
      interactions: "SELECT * FROM '{dir}/log.csv'",
    },
  };
}

const COUNTING = { weights: { view: 1, purchase: 5 }, minimumValue: 0.5, negative: ['dislike'] };

/** Prepares and trains, and opens what was trained. */
async function train(t: TestWithFolder, wanted: TryDataset) {
  const { dataset } = await tryPrepare(t, wanted);
  const folder = join(t.testdirName, 'bundle');
  const manifest = await trainPrepared(dataset, folder, {
    config: smallTrainingConfig(),
    protocol: 'chronological',
    scenario: SCENARIOS.get('home')!,
    progress: SILENT_PROGRESS,
    provenance: PROVENANCE,
  });
  const engine = await openEngine(folder, SCENARIOS);
  const historyOf = (user: string): Map<string, number> => {
    const { items, values } = engine.histories.find(user);
    return new Map(Array.from(items, (item, at) => [engine.catalogue.entities.idAt(item), values[at]!]));
  };
  const answer = async (user: string, live?: LiveHistory): Promise<string[]> => {
    const request = { subject: { userId: user }, scenario: 'popular', limit: 100, exclude: [], filters: [] };
    const { slate } = await recommend({ ...request, explain: 'none' }, engine, { prefetched: { live } });
    return slate.items.map(({ itemId }) => itemId);
  };
  const items = engine.catalogue.entities;
  const typesOf = (user: string): string[] => {
    const { items, types, names } = engine.histories.findTyped(user);
    return Array.from(items, (item, at) => `${names[types[at]!]!} ${engine.catalogue.entities.idAt(item)}`);
  };
  return { manifest, historyOf, typesOf, answer, items, close: () => closeEngine(engine) };
}

t.test('a bundle knows what its users did since, and how it counts', async (t) => {
  t.testdir();
  const { wanted, user, liked, disliked } = synthetic();
  const { manifest, historyOf, typesOf, items, close } = await train(t, {
    ...wanted,
    ...COUNTING,
    events: true,
  });
  t.strictSame(manifest.interactions, COUNTING);
  t.equal(historyOf(user).get(liked), 10, 'a value of 2 times the weight of a purchase');
  t.notOk(historyOf(user).has(disliked), 'what was disliked is no part of the history');
  t.same([...historyOf('newcomer').keys()], ['new item']);
  t.same(manifest.histories.types, ['purchase', 'view']);
  t.same(typesOf('newcomer'), ['view new item']);
  t.equal(typesOf(user).at(-1), `purchase ${liked}`);
  t.ok(items.find('new item') >= 0);
  await close();
});

t.test(
  'what the files say is unwanted is in no answer, whatever the scenario says of what was seen',
  async (t) => {
    t.testdir();
    const { wanted, user, disliked } = synthetic();
    const { answer, items, close } = await train(t, { ...wanted, ...COUNTING, events: true });
    const all = Array.from({ length: items.size }, (_, item) => items.idAt(item));
    t.same(
      all.filter((item) => item !== disliked),
      (await answer(user)).sort(),
    );
    t.same(all, (await answer('u0')).sort(), 'others are shown it');
    const word = (time: number): LiveHistory => ({
      items: Int32Array.of(items.find(disliked)),
      timestamps: Float64Array.of(time),
      values: Float32Array.of(1),
      negative: Uint8Array.of(0),
    });
    t.ok((await answer(user, word(2e9))).includes(disliked), 'a later like takes the dislike back');
    t.notOk((await answer(user, word(1e9))).includes(disliked), 'an earlier one does not');
    await close();
  },
);

t.test('negative control: where no type is negative, a disliked item is shown', async (t) => {
  t.testdir();
  const { wanted, user, disliked } = synthetic();
  const { answer, close } = await train(t, { ...wanted, events: true });
  t.ok((await answer(user)).includes(disliked));
  await close();
});

t.test('without these settings it knows the files alone, and says nothing', async (t) => {
  t.testdir();
  const { wanted, user, liked, disliked } = synthetic();
  const { manifest, historyOf, items, close } = await train(t, wanted);
  t.notOk('interactions' in manifest);
  t.notOk(historyOf(user).has(liked));
  t.ok(historyOf(user).has(disliked));
  t.equal(items.find('new item'), -1);
  const older: Manifest = parseManifest(JSON.stringify(manifest), 'manifest.json');
  t.equal(older.interactions, undefined, 'a manifest without it, as older ones are, is sound');
  await close();
});

t.test('events without `negative` take a dislike for a view', async (t) => {
  t.testdir();
  const { wanted, user, disliked } = synthetic();
  const { manifest, historyOf, close } = await train(t, { ...wanted, events: true });
  t.ok(historyOf(user).has(disliked));
  t.notOk('interactions' in manifest);
  await close();
});
