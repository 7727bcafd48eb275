import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../src/bundle/bundle-files.js';
import { contentsOf, writeBundleFiles } from '../../../src/bundle/write-bundle-files.js';
import type { InteractionTable } from '../../../src/domain/interactions.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { evaluateDataset } from '../../../src/offline/evaluation/evaluate-dataset.js';
import { splitChronologically } from '../../../src/offline/protocol/splits.js';
import { readPreparedDataset, type PreparedDataset } from '../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { measureReference } from '../../../src/offline/training/bundle/measure-reference.js';
import { trainDataset } from '../../../src/offline/training/bundle/train-dataset.js';
import { labelTrainingQueries } from '../../../src/offline/training/bundle/train-bundle.js';
import { exportTrainingSet } from '../../../src/offline/training/training-set/export-training-set.js';
import { readFeaturesFile } from '../../../src/offline/training/training-set/features-file.js';
import { openEngine } from '../../../src/engine/open-engine.js';
import { recommend } from '../../../src/pipeline/recommend.js';
import type { Ranker } from '../../../src/ranking/ranker.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../support/trained-bundle.js';
import { tryPrepare } from '../data/prepare/try-prepare.js';

const USERS = 100;
const ITEMS = 60;
const DEVICES = ['mobile', 'desktop'];

/** Where the sessions of a user's sixteen interactions begin: what training and what the test ask for is one session each. */
const SESSIONS = [0, 5, 9, 12];

/**
 * Whoever is on a phone takes items of the first half, whoever is at a desk those of the second, and nothing that is known
 * before tells which comes next. At a desk it is evening.
 */
function generateLog(): string {
  const random = createSeededRandom(11);
  const lines = ['user_id,item_id,timestamp,device'];
  for (let user = 0; user < USERS; user++) {
    let device = 0;
    const taken = new Set<number>();
    for (let step = 0; step < 16; step++) {
      if (SESSIONS.includes(step)) device = random.integer(2);
      let item = 0;
      do item = device * (ITEMS / 2) + random.integer(ITEMS / 2);
      while (taken.has(item));
      taken.add(item);
      const time = 1_704_067_200 + 86_400 * (user + 7 * step) + 3600 * (device === 0 ? 8 : 20);
      lines.push(`u${user},i${item},${time},${random.uniform() < 0.02 ? '' : DEVICES[device]}`);
    }
  }
  return lines.join('\n');
}

const dir = t.testdir({});
const folder = { testdirName: dir };
const { dataset, outDir } = await tryPrepare(folder, {
  files: { 'log.csv': generateLog() },
  interactions: "SELECT * FROM '{dir}/log.csv'",
  context: { columns: { device: { role: 'categorical' } } },
});
const config = smallTrainingConfig();
const options = {
  config: { ...config, ranker: { ...config.ranker, objectives: ['lambdarank' as const], maxTrees: 30 } },
  protocol: 'chronological' as const,
  trainingProtocol: 'chronological' as const,
  scenario: { ...SCENARIOS.get('home')!, sources: { als: 60, 'similar-items': 60, popular: 60 } },
  coldStart: SCENARIOS.get('popular'),
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
  command: 'shortlist evaluate',
};

function withoutContext({ interactions, ...rest }: PreparedDataset): PreparedDataset {
  const { context: _, ...bare } = interactions;
  return { ...rest, interactions: bare as InteractionTable };
}

async function measureNdcg(dataset: PreparedDataset) {
  const { rows, ranker } = await evaluateDataset(dataset, options);
  return { ndcg: rows.find(({ name }) => name === 'two-stage')!.metrics.ndcg.mean, ranker };
}

const unknown = await measureNdcg(withoutContext(dataset));

t.test('lists are clearly better where the device decides and the request says it', async (t) => {
  const known = await measureNdcg(dataset);
  t.ok(known.ndcg > 1.4 * unknown.ndcg, `${known.ndcg} with the device, ${unknown.ndcg} without`);
  const group = known.ranker.featureGroups.find(({ group }) => group === 'context');
  t.equal(group!.features, 2);
  t.ok(group!.gain > 0);
  t.notOk(unknown.ranker.featureGroups.some(({ group }) => group === 'context'));
});

t.test('the hour does as well where it tells the same', async (t) => {
  const { dataset } = await tryPrepare(
    { testdirName: t.testdir({}) },
    {
      files: { 'log.csv': generateLog() },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      context: { hour: true },
    },
  );
  const known = await measureNdcg(dataset);
  t.ok(known.ndcg > 1.4 * unknown.ndcg, `${known.ndcg} with the hour, ${unknown.ndcg} without`);
});

t.test('without a context every feature, row and bit is as it was', async (t) => {
  const bare = withoutContext(dataset);
  const known = (table: PreparedDataset) => ({
    train: table.interactions,
    knownUntil: table.window.to + 1,
  });
  const { queries: plain } = await labelTrainingQueries(known(bare), bare, options);
  const { queries: more } = await labelTrainingQueries(known(dataset), dataset, options);
  const width = (query: (typeof plain)[number]): number => query.data.length / query.labels.length;
  t.equal(width(more[0]!), width(plain[0]!) + 2, 'its features come last');
  t.same(
    more.map((query) => query.data.filter((_, at) => at % width(query) < width(query) - 2)),
    plain.map(({ data }) => data),
  );
});

t.test('nothing that comes after what is known changes a training row', async (t) => {
  const { train, knownUntil } = splitChronologically(dataset.interactions);
  const cut = new Set(Array.from(train.timestamp, (time, row) => `${train.user[row]} ${time}`));
  const { user, timestamp, context } = dataset.interactions;
  const isKnown = (row: number): boolean => cut.has(`${user[row]} ${timestamp[row]}`);
  const columns = context!.columns.map((values) =>
    values.map((value, row) => (isKnown(row) ? value : 1 - value)),
  );
  const interactions = { ...dataset.interactions, context: { ...context!, columns } };
  const later = splitChronologically(interactions);
  t.notSame(
    later.queries.map(({ context }) => context),
    splitChronologically(dataset.interactions).queries.map(({ context }) => context),
  );
  t.same(
    await labelTrainingQueries(later, { ...dataset, interactions }, options),
    await labelTrainingQueries({ train, knownUntil }, dataset, options),
  );
});

t.test('an exported training set has the features of the context', async (t) => {
  const rows = join(t.testdir({}), 'rows.parquet');
  const { featuresFile } = await exportTrainingSet(outDir, rows, { ...options, rows: 'train' });
  const { features } = readFeaturesFile(featuresFile);
  t.same(features.slice(-2), ['context.device', 'context.device.lift']);
});

t.test('a served bundle answers by the context of the request', async (t) => {
  const bundle = join(t.testdir({}), 'bundle');
  const manifest = await trainDataset(outDir, bundle, options);
  t.match(manifest.context, {
    file: 'features/contexts.safetensors',
    timeZone: 'UTC',
    fields: [{ name: 'device', type: 'categorical', values: ['desktop', 'mobile'] }],
  });
  const engine = await openEngine(bundle, SCENARIOS);
  t.teardown(() => engine.ranker.close());
  const ask = async (user: string, device?: string) => {
    const { slate } = await recommend(
      {
        subject: { userId: user },
        scenario: 'home',
        limit: 10,
        exclude: [],
        filters: [],
        explain: 'features',
        ...(device !== undefined && { context: [{ field: 'device', value: device }] }),
      },
      engine,
    );
    return slate.items;
  };
  const shareOfFirstHalf = async (device: string): Promise<number> => {
    const items = (await Promise.all(['u1', 'u2', 'u3', 'u4'].map((user) => ask(user, device)))).flat();
    return items.filter(({ itemId }) => Number(itemId.slice(1)) < ITEMS / 2).length / items.length;
  };
  t.ok((await shareOfFirstHalf('mobile')) > 0.9, 'on a phone what phones take');
  t.ok((await shareOfFirstHalf('desktop')) < 0.1, 'at a desk what is taken there');
  const [first] = await ask('u1', 'mobile');
  t.equal(first!.features!['context.device'], 1);
  t.ok(first!.features!['context.device.lift']! > 0.1);
  const lists = [await ask('u1', 'fridge'), await ask('u1')];
  t.same(lists[0], lists[1], 'a value that nobody knows is as good as none');
  t.equal(lists[0]![0]!.features!['context.device'], -1);
  await t.rejects(
    recommend(
      {
        subject: { userId: 'u1' },
        scenario: 'home',
        limit: 1,
        exclude: [],
        filters: [],
        explain: 'none',
        context: [{ field: 'country', value: 'DE' }],
      },
      engine,
    ),
    { code: 'UNKNOWN_CONTEXT', message: /Fields of it: device\./ },
  );
});

t.test('a bundle whose counts do not fit its fields is refused', async (t) => {
  const good = join(t.testdir({}), 'bundle');
  await trainDataset(outDir, good, options);
  const files = await openBundleFiles(good);
  const { version: _, context, ...manifest } = files.manifest;
  const fields = [{ name: 'device', type: 'categorical' as const, values: ['mobile'] }];
  const broken = join(t.testdirName, 'broken');
  await writeBundleFiles(broken, {
    manifest: { ...manifest, context: { ...context!, fields } },
    files: contentsOf(files),
  });
  await t.rejects(openEngine(broken, SCENARIOS), {
    code: 'INVALID_BUNDLE',
    message: /features\/contexts\.safetensors: device\.parts: part 1 is not one of 1/,
  });
});

t.test('the hour of a request is that of the clock, unless the request says another', async (t) => {
  const prepared = join(t.testdirName, 'prepared');
  await tryPrepare(
    { testdirName: t.testdir({}) },
    {
      files: { 'log.csv': generateLog() },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      context: { hour: true, weekday: true, timeZone: 'Europe/Berlin' },
    },
  );
  const bundle = join(t.testdirName, 'bundle');
  await trainDataset(prepared, bundle, options);
  t.ok((await readPreparedDataset(prepared)).interactions.context);
  const clock = (): number => Date.parse('2026-06-30T22:30:00Z') / 1000;
  const engine = await openEngine(bundle, SCENARIOS, { clock });
  t.teardown(() => engine.ranker.close());
  const featuresOf = async (context?: { field: string; value: string }[]) => {
    const subject = { userId: 'u1' };
    const request = {
      subject,
      scenario: 'home',
      limit: 1,
      exclude: [],
      filters: [],
      explain: 'features' as const,
    };
    const { slate } = await recommend({ ...request, context }, engine);
    return slate.items[0]!.features;
  };
  t.match(await featuresOf(), { 'context.hour': 0, 'context.weekday': 3 });
  t.match(await featuresOf([{ field: 'hour', value: '13' }]), { 'context.hour': 13, 'context.weekday': 3 });

  await t.test('and the reference for drift ranks at the hours of the data', async (t) => {
    const column = engine.assembler.featureOrder.indexOf('context.hour');
    const hours = new Set<number>();
    const ranker: Ranker = {
      ...engine.ranker,
      rank: (matrix) => {
        for (let row = 0; row < matrix.rows; row++) hours.add(matrix.data[row * matrix.columns + column]!);
        return engine.ranker.rank(matrix);
      },
    };
    await measureReference(engine, ranker, options.scenario);
    const berlin = [9, 10, 21, 22]; // 8 and 20 of UTC, in winter and summer
    t.ok(hours.size >= 2);
    t.same(
      [...hours].filter((hour) => !berlin.includes(hour)),
      [],
    );
  });
});
