import { join } from 'node:path';
import t from 'tap';
import { SILENT_PROGRESS, type ProgressReporter } from '../../../../src/offline/progress/progress.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { trainBundle } from '../../../../src/offline/training/bundle/train-bundle.js';
import {
  findSkippedSources,
  trainSources,
} from '../../../../src/offline/training/candidates/train-sources.js';
import { writeTrainedBundle } from '../../../../src/offline/training/bundle/write-trained-bundle.js';
import { toHistories } from '../../../../src/domain/interactions.js';
import { openEngine } from '../../../../src/engine/open-engine.js';
import { NOBODY, type Subject } from '../../../../src/domain/subject.js';
import { recommend } from '../../../../src/pipeline/recommend.js';
import { createSyntheticDataset, START } from '../../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';

const config = smallTrainingConfig();
const timeless = withoutTimes(createSyntheticDataset());
const lines: string[] = [];
const trained = await trainBundle({ train: timeless.interactions, knownUntil: START + 1 }, timeless, {
  config,
  trainingProtocol: 'random',
  scenario: SCENARIOS.get('home')!,
  progress: collectLines(lines),
});
const folder = join(t.testdir(), 'bundle');
const manifest = await writeTrainedBundle(folder, trained, {
  dataset: timeless,
  config,
  provenance: PROVENANCE,
});

t.test('a source that the data cannot have is skipped: the progress and the manifest say why', async (t) => {
  const reason = 'all interactions are of one day or less, so nothing is of late';
  t.equal(lines.filter((line) => line === `candidate source trending: skipped: ${reason}`).length, 1);
  t.same(manifest.sources['trending'], { skipped: reason });
  t.notOk(manifest.ranker.featureOrder.some((feature) => feature.startsWith('trending')));
  t.match(manifest.sources['als'], { file: 'candidates/als.safetensors', skipped: undefined });
});

t.test('where times say nothing, no source and no feature reads order or age', async (t) => {
  t.same(manifest.sources['ease-recent'], { skipped: 'no two rows of a user differ in time' });
  t.match(manifest.sources['ease'], { file: 'candidates/ease.safetensors' });
  t.match(trained.stageOne.artefacts.get('candidates/similar-items.safetensors')!.metadata, {
    'similar-items.lastItems': '1000',
    'similar-items.recencyExponent': '0',
  });
  t.equal(manifest.followers, undefined);
  t.same(manifest.dataset.times, { hasOrder: false, hasDates: false, orderedShare: 0 });
  const reading =
    /recent|last|decayed|best_|hits_|days|trend|_age|idle|rate|timing|_\d+d|acceleration|followers/;
  t.same(
    manifest.ranker.featureOrder.filter((feature) => reading.test(feature)),
    [],
  );
  t.ok(manifest.ranker.featureOrder.includes('similar.best'));
});

t.test('a scenario that lists a skipped source opens and answers without it', async (t) => {
  const engine = await openEngine(folder, SCENARIOS);
  const { slate, stages, candidates } = await recommend(
    {
      subject: { userId: 'u1' },
      scenario: 'home',
      limit: 5,
      exclude: [],
      filters: [],
      explain: 'none',
    },
    engine,
  );
  t.equal(slate.items.length, 5);
  t.same(slate.degraded, []);
  t.ok(candidates.retrievals.some(({ source }) => source === 'als'));
  t.notOk(stages.some(({ stage }) => stage.includes('trending')));
  await engine.ranker.close();
});

t.test('a scenario of skipped sources alone is refused with the reasons', async (t) => {
  const lonely = { ...SCENARIOS.get('popular')!, sources: { trending: 10 } };
  await t.rejects(openEngine(folder, new Map([['popular', lonely]])), {
    code: 'INVALID_BUNDLE',
    problems: [
      'sources: scenario popular has no source left: trending was skipped, all interactions are of one day or less, so nothing is of late',
    ],
  });
});

t.test('nothing is skipped where times, attributes and a catalogue of few items are known', async (t) => {
  t.same([...findSkippedSources(createSyntheticDataset(), config)], []);
});

t.test('ease is skipped where a fit would take longer or more memory than the config allows', async (t) => {
  const reasonWith = (limits: Partial<typeof config.ease>): string | undefined => {
    const skipped = findSkippedSources(createSyntheticDataset(), {
      ...config,
      ease: { ...config.ease, ...limits },
    });
    t.same([...skipped.keys()], ['ease', 'ease-recent']);
    return skipped.get('ease');
  };
  const cost = '59 items and 79 users take about 1 s and 1 MB per fit';
  t.equal(reasonWith({ maxSeconds: 1e-6 }), `${cost}, ease.maxSeconds is 0.000001`);
  t.equal(reasonWith({ maxMegabytes: 0.01 }), `${cost}, ease.maxMegabytes is 0.01`);
  t.match(reasonWith({ maxSeconds: 1e-6, maxMegabytes: 0.01 }), /maxSeconds is .* and ease\.maxMegabytes is/);
});

t.test('ease of 50,000 items is refused by its memory, before any is taken', async (t) => {
  const dataset = createSyntheticDataset();
  const count = 50_000;
  const rows = Int32Array.from({ length: count }, (_, row) => row);
  const wide = {
    ...dataset,
    interactions: { ...dataset.interactions, item: rows, user: rows, timestamp: new Float64Array(count) },
  };
  const skipped = findSkippedSources(wide, { ...config, ease: { ...config.ease, maxSeconds: 1e9 } });
  t.match(skipped.get('ease'), /^50,000 items and 50,000 users take about .* MB per fit, ease\.maxMegabytes/);
});

t.test('fresh is skipped where nothing is known of the items', async (t) => {
  const dataset = createSyntheticDataset();
  const bare = { ...dataset, catalogue: { ...dataset.catalogue, attributes: [] } };
  t.same(
    [...findSkippedSources(bare, config)],
    [['fresh', 'the items table has no attribute that features may read']],
  );
});

t.test(
  'popular-in-group is skipped where no value of a user attribute is shared by enough users',
  async (t) => {
    const dataset = createSyntheticDataset();
    const bare = { ...dataset, users: { ...dataset.users, attributes: [] } };
    t.same(
      [...findSkippedSources(bare, config)],
      [
        [
          'popular-in-group',
          'no value of a categorical or boolean attribute of the users table is that of 10 users',
        ],
      ],
    );
  },
);

t.test('popular-in-group knows the users that training knew, and nobody else', async (t) => {
  const { coldStart: _, ...asked } = SCENARIOS.get('home')!;
  const home = { ...asked, sources: { 'popular-in-group': 10, popular: 10 } };
  const engine = await openEngine(folder, new Map([['home', home]]));
  const retrievedFor = async (subject: Subject): Promise<number> => {
    const request = {
      subject,
      scenario: 'home',
      limit: 5,
      exclude: [],
      filters: [],
      explain: 'none',
    } as const;
    const { candidates } = await recommend(request, engine);
    return candidates.retrievals.find(({ source }) => source === 'popular-in-group')!.items.length;
  };
  t.ok((await retrievedFor({ userId: 'u1' })) > 0);
  t.ok((await retrievedFor({ userId: 'u79' })) > 0, 'somebody who did nothing yet');
  t.equal(await retrievedFor({ userId: 'a stranger' }), 0);
  t.equal(await retrievedFor({ itemId: 'i001' }), 0);
  t.equal(await retrievedFor(NOBODY), 0);
  await engine.ranker.close();
});

t.test('weights of the interactions reach als, values that are none do not', async (t) => {
  const dataset = createSyntheticDataset();
  const metadataOf = async (interactions: PreparedDataset['interactions']): Promise<object> => {
    const artefacts = await trainSources({
      interactions,
      histories: toHistories(interactions),
      knownUntil: START,
      dataset,
      config,
      threads: 1,
      progress: SILENT_PROGRESS,
    });
    return artefacts.get('candidates/als.safetensors')!.metadata;
  };
  const { interactions } = dataset;
  t.match(await metadataOf({ ...interactions, weighted: true }), { meanWeight: /^[23]\.\d+$/ });
  t.notOk('meanWeight' in (await metadataOf(interactions)));
});

function withoutTimes(dataset: PreparedDataset): PreparedDataset {
  const { interactions } = dataset;
  return {
    ...dataset,
    window: { from: START, to: START },
    interactions: {
      ...interactions,
      timestamp: interactions.timestamp.map(() => START),
      times: { hasOrder: false, hasDates: false, orderedShare: 0 },
    },
  };
}

function collectLines(lines: string[]): ProgressReporter {
  return {
    start: (label) => ({
      advance: () => undefined,
      finish: (summary) => void lines.push(`${label}: ${summary}`),
    }),
  };
}
