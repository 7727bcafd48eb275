import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readDatasetConfig } from '../../src/config/dataset-config.js';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import { openEngine } from '../../src/engine/open-engine.js';
import { closeEngine } from '../../src/engine/close-engine.js';
import { prepareDataset } from '../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset, type PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { evaluateDataset } from '../../src/offline/evaluation/evaluate-dataset.js';
import { renderEvaluationTable } from '../../src/offline/evaluation/evaluation-table.js';
import type { EvaluationResult } from '../../src/offline/evaluation/evaluation-result.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';
import { makeTestSplits } from '../../src/offline/protocol/make-splits.js';
import { trainPrepared } from '../../src/offline/training/bundle/train-dataset.js';
import { recommend } from '../../src/pipeline/recommend.js';
import { describeShop, generateShop, SHOP_OPENS, writeShop, type Shop } from '../support/generated-shop.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../support/trained-bundle.js';

const home = SCENARIOS.get('home')!;
const config = smallTrainingConfig();
const shop = generateShop({ users: 250, items: 120, weeks: 8 });
const NEGATIVE = 'negative: [return]';

async function prepare(
  t: Test,
  interactions: readonly string[],
  from: Shop = shop,
): Promise<PreparedDataset> {
  const folder = t.testdir();
  writeShop(from, folder);
  const file = join(folder, 'shop.yaml');
  writeFileSync(file, describeShop(folder, { name: 'shop', interactions: [NEGATIVE, ...interactions] }));
  const outDir = join(folder, 'prepared');
  await prepareDataset(readDatasetConfig(file, { configsDir: 'configs' }), {
    outDir,
    progress: SILENT_PROGRESS,
  });
  return readPreparedDataset(outDir);
}

const OPTIONS = {
  config,
  protocol: 'rolling',
  scenario: home,
  coldStart: SCENARIOS.get('popular'),
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
  command: 'shortlist evaluate',
} as const;

t.test('a shop that names its target is judged on purchases, and answers them better', async (t) => {
  const dataset = await prepare(t, ['target: [purchase]']);
  const result = await evaluateDataset(dataset, OPTIONS);
  t.match(
    renderEvaluationTable(result),
    /^shop \(250 users, .* interactions\), target purchase, protocol rolling/,
  );
  t.match(
    result.segmentations.map(({ by }) => by),
    ['items known of the user', 'items to find, to the user'],
  );
  t.match(
    result.ranker.featureGroups.find(({ group }) => group === 'target'),
    { features: 9 },
  );

  await t.test('than one that takes every row alike', async (t) => {
    const { target: _, ...interactions } = dataset.interactions;
    const { counting: __, ...alike } = { ...dataset, interactions };
    const splits = [...makeTestSplits(dataset.interactions, 'rolling', config)].map((split) => {
      const { target: _, ...train } = split.train;
      return { ...split, train };
    });
    const blind = await evaluateDataset(alike, { ...OPTIONS, splits });
    t.equal(blind.queries.fingerprint, result.queries.fingerprint, 'the same is asked');
    t.ok(ndcgOf(result) > 1.1 * ndcgOf(blind), `${ndcgOf(result)} over ${ndcgOf(blind)}`);
  });
});

function ndcgOf({ rows }: EvaluationResult): number {
  return rows.find(({ kind }) => kind === 'two-stage')!.metrics.ndcg.mean;
}

async function train(
  t: Test,
  dataset: PreparedDataset,
  scenario = home,
): Promise<[Manifest, string, string[]]> {
  const folder = join(t.testdirName, 'trained');
  const said: string[] = [];
  const progress = {
    start: (label: string) => ({
      advance: () => undefined,
      finish: (text = '') => void said.push(`${label}: ${text}`),
    }),
  };
  return [await trainPrepared(dataset, folder, { ...OPTIONS, scenario, progress }), folder, said];
}

t.test('a bundle says what it predicts, and shows again what was viewed and not bought', async (t) => {
  const dataset = await prepare(t, ['target: [purchase]']);
  const [manifest, folder, said] = await train(t, dataset);
  t.same(manifest.interactions, {
    negative: ['return'],
    target: { types: ['purchase'], evidence: ['view', 'cart'] },
  });
  t.match(manifest.ranker.featureOrder.join(), 'target.log_count.purchase');
  t.match(manifest.ranker.featureOrder.join(), /item[^,]*target_rate/);
  t.match(said[0], /^target: purchase, [\d,]+ of [\d,]+ interactions$/);

  const engine = await openEngine(folder, SCENARIOS);
  const { types, user, item } = dataset.interactions;
  const purchase = types!.names.indexOf('purchase');
  const someone = user.find((_, row) => types!.codes[row] === purchase)!;
  const rowsOf = (isPurchase: boolean): Set<string> =>
    new Set(
      [...user.keys()]
        .filter((row) => user[row] === someone && (types!.codes[row] === purchase) === isPurchase)
        .map((row) => dataset.catalogue.entities.idAt(item[row]!)),
    );
  const { slate } = await recommend(
    {
      subject: { userId: engine.users.idAt(someone) },
      scenario: 'home',
      limit: 100,
      exclude: [],
      filters: [],
      explain: 'none',
    },
    engine,
  );
  const shown = slate.items.map(({ itemId }) => itemId);
  const bought = rowsOf(true);
  t.notOk(
    shown.some((id) => bought.has(id)),
    'what was bought is not shown again',
  );
  const viewed = [...rowsOf(false)].filter((id) => !bought.has(id));
  t.ok(
    viewed.some((id) => shown.includes(id)),
    'what was viewed may be',
  );
  await closeEngine(engine);
});

t.test('training says how much a rule keeps from being answered', async (t) => {
  const dataset = await prepare(t, ['target: [purchase]']);
  const closed: ScenarioConfig = { ...home, rules: [{ seen: {} }] };
  const [, , said] = await train(t, dataset, closed);
  t.match(
    said[0],
    /; warning: the rule seen of scenario home takes out what a user did of cart, view, and [\d,]+ of [\d,]+ that are predicted came after that: no answer can have them\. Name in seen\.types .* purchase$/,
  );
});

t.test('a target after the last cut only cannot be trained, and the counts say why', async (t) => {
  const opened = SHOP_OPENS + 51 * 86_400;
  const rows = shop.rows.filter(({ type, time }) => type !== 'purchase' || time > opened);
  const dataset = await prepare(t, ['target: [purchase]'], { ...shop, rows });
  await t.rejects(evaluateDataset(dataset, OPTIONS), {
    code: 'INVALID_DATASET',
    message:
      /leaves no user with an item to predict\. Of [\d,]+ rows until 2024-02-\d\d, 0 are of the target; by type: cart [\d,]+, purchase 0, view [\d,]+\. Take/,
  });
});

t.test('the generated shop is the same for the same seed', async (t) => {
  const again = t.testdir();
  writeShop(generateShop({ users: 30, items: 20, weeks: 3 }), join(again, 'a'));
  writeShop(generateShop({ users: 30, items: 20, weeks: 3 }), join(again, 'b'));
  const read = (name: string): string => readFileSync(join(again, name, 'interactions.csv'), 'utf8');
  t.equal(read('a'), read('b'));
  const types = new Set(shop.rows.map(({ type }) => type));
  t.same([...types].sort(), ['cart', 'purchase', 'return', 'view']);
});
