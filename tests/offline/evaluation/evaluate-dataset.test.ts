import t from 'tap';
import { evaluateDataset, type EvaluationOptions } from '../../../src/offline/evaluation/evaluate-dataset.js';
import { splitFrozen } from '../../../src/offline/protocol/splits.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../support/trained-bundle.js';

const dataset = createSyntheticDataset();

const options: EvaluationOptions = {
  config: smallTrainingConfig(),
  protocol: 'chronological',
  scenario: SCENARIOS.get('home')!,
  coldStart: SCENARIOS.get('popular'),
  progress: SILENT_PROGRESS,
  provenance: PROVENANCE,
  command: 'shortlist evaluate',
};

t.test(
  'the table has the baselines, each source alone, fusion and two-stage, all on the same queries',
  async (t) => {
    const result = await evaluateDataset(dataset, options);
    t.same(
      result.rows.map(({ name, kind }) => `${kind} ${name}`),
      [
        'baseline random',
        'baseline popular',
        ...Object.keys(options.scenario.sources)
          .filter((source) => source !== 'popular')
          .map((source) => `source ${source}`),
        'fusion fusion',
        'two-stage two-stage',
      ],
    );
    for (const { metrics } of result.rows) t.equal(metrics.queries, 79);
    const ndcg = new Map(result.rows.map(({ name, metrics }) => [name, metrics.ndcg.mean]));
    t.ok(ndcg.get('two-stage')! > 1.5 * ndcg.get('random')!, 'taste can be learnt here');
    t.match(result, {
      protocol: 'chronological',
      k: 10,
      seed: 42,
      dataset: { name: 'synthetic', users: 80, items: 60, interactions: 79 * 14 },
      ranker: { objective: String, featureImportance: [{ feature: 'als.score' }] },
    });
    t.equal(result.ablation, undefined, 'nobody asked for one');
    t.notOk('ablation' in result);
    const { featureGroups, featureImportance } = result.ranker;
    const whole = featureGroups.filter(({ group }) => !group.includes(':'));
    t.same(
      whole.map(({ group }) => group),
      ['retrieval', 'item', 'user', 'activity', 'affinity', 'gap', 'timing', 'similar', 'followers'],
    );
    const sum = (values: readonly { gain: number }[]): number =>
      values.reduce((total, { gain }) => total + gain, 0);
    t.ok(Math.abs(sum(whole) / sum(featureImportance) - 1) < 1e-9, 'every feature is in one of them');
    const parts = featureGroups.filter(({ group }) => group.startsWith('retrieval: '));
    t.ok(Math.abs(sum(parts) / featureGroups[0]!.gain - 1) < 1e-9);
    t.ok(result.candidates.recall.mean > 0.9, 'the candidates are most of so small a catalogue');
  },
);

t.test('the same evaluation gives the same figures', async (t) => {
  const [one, two] = [await evaluateDataset(dataset, options), await evaluateDataset(dataset, options)];
  t.same({ ...one, timings: [] }, { ...two, timings: [] });
});

t.test('a rolling backtest asks new users too, and answers them with what is popular', async (t) => {
  const result = await evaluateDataset(dataset, { ...options, protocol: 'rolling' });
  t.equal(result.splits.length, 2);
  t.ok(result.splits[0]!.knownUntil < result.splits[1]!.knownUntil);
});

t.test(
  'a source that the data cannot have is no line of the table and is named with the reason',
  async (t) => {
    const config = { ...options.config, ease: { ...options.config.ease, maxSeconds: 1e-6 } };
    const result = await evaluateDataset(dataset, { ...options, config });
    const names = result.rows.map(({ name }) => name);
    t.notOk(names.includes('ease'));
    t.match(result.skippedSources, [
      { name: 'ease', reason: /ease.maxSeconds is/ },
      { name: 'ease-recent', reason: /ease.maxSeconds is/ },
    ]);
    t.notOk(result.candidates.sources.some(({ name }) => name === 'ease'));
  },
);

t.test('a frozen split takes the place of the protocol’s own', async (t) => {
  const pairs = [0, 14, 28].map((row) => ({
    user: dataset.interactions.user[row]!,
    item: dataset.interactions.item[row]!,
  }));
  const splits = [splitFrozen(dataset.interactions, pairs)];
  const result = await evaluateDataset(dataset, { ...options, protocol: 'frozen', splits });
  t.match(result, { protocol: 'frozen', splits: [{ queries: 3, testRows: 3, tiedRows: 0 }] });
  t.match(result.splits[0]!.label, /all rows of each held out/);
});

t.test('a replay walks the users of every split, within its limits, and changes nothing else', async (t) => {
  const rolling = { ...options, protocol: 'rolling' } as const;
  const { replay, timings, ...rest } = await evaluateDataset(dataset, {
    ...rolling,
    replay: { users: 5, events: 2 },
  });
  t.match(replay, { limits: { users: 5, events: 2 }, walks: 10, asks: Number });
  t.same(
    replay!.arms.map(({ arm }) => arm),
    ['frozen', 'live', 'control'],
  );
  t.ok(replay!.events <= 20 && replay!.asks <= replay!.events);
  t.ok(timings.some(({ step }) => step === 'replay'));
  const { timings: _, ...without } = await evaluateDataset(dataset, rolling);
  t.same({ ...rest, replay: undefined }, { ...without, replay: undefined });
  t.equal(without.replay, undefined);

  await t.rejects(
    evaluateDataset(dataset, { ...options, protocol: 'random', replay: { users: 5, events: 2 } }),
    {
      code: 'INVALID_CONFIG',
      message: /random has no rows one after the other .*: leave out --replay/,
    },
  );
});

t.test('an ablation asks the same queries of a ranker without each group, over all splits', async (t) => {
  const { ranker, rows, ablation } = await evaluateDataset(dataset, {
    ...options,
    protocol: 'rolling',
    ablation: true,
    config: { ...options.config, ranker: { ...options.config.ranker, maxTrees: 3 } },
  });
  t.same(
    ablation!.map(({ group }) => group),
    ranker.featureGroups.map(({ group }) => group),
  );
  const twoStage = rows.at(-1)!.metrics.ndcg.mean;
  for (const { ndcg, difference, low, high } of ablation!) {
    t.ok(Math.abs(ndcg.mean - twoStage - difference) < 1e-12);
    t.ok(low <= difference && difference <= high);
  }
  t.ok(
    ablation!.some(({ difference }) => difference !== 0),
    'another ranker orders otherwise',
  );
});

t.test(
  'other scenarios are asked where they are given, with and without the rules that change their order',
  async (t) => {
    const home = {
      ...options.scenario,
      rules: [...options.scenario.rules, { cap: { attribute: 'genres', most: 1, in: 3 } }],
    };
    const placements = [home, ...[...SCENARIOS.values()].filter(({ name }) => name !== 'home')];
    const result = await evaluateDataset(dataset, { ...options, scenario: home, placements });
    const names = result.rows.map(({ name }) => name);
    t.same(names.slice(names.indexOf('two-stage')), [
      'two-stage',
      'two-stage without rules',
      'scenario continue',
      'scenario new',
      'scenario new without rules',
      'scenario popular',
      'scenario trending',
    ]);
    const row = new Map(result.rows.map(({ name, metrics }) => [name, metrics]));
    t.not(row.get('two-stage')!.diversity, row.get('two-stage without rules')!.diversity);
    t.equal(result.comparison.twoStage, 'two-stage');
  },
);
