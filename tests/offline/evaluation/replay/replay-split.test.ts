import t from 'tap';
import type { CandidateSource } from '../../../../src/candidates/candidate-source.js';
import type { Engine } from '../../../../src/pipeline/engine.js';
import { listAsks, listWalks } from '../../../../src/offline/evaluation/replay/list-walks.js';
import {
  REPLAY_ARMS,
  replaySplit,
  type ReplayedSplit,
  type ReplayOptions,
} from '../../../../src/offline/evaluation/replay/replay-split.js';
import { summariseReplay } from '../../../../src/offline/evaluation/replay/summarise-replay.js';
import { withTrainedEngine } from '../../../../src/offline/evaluation/with-trained-engine.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { splitChronologically, type EvaluationSplit } from '../../../../src/offline/protocol/splits.js';
import { trainBundle } from '../../../../src/offline/training/bundle/train-bundle.js';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { createSyntheticDataset, START } from '../../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';
import { interactionTable } from '../../../support/small-world.js';

const USERS = 80;
const OPTIONS: ReplayOptions = {
  limits: { users: 100, events: 20 },
  seed: 42,
  k: 10,
  scenario: 'home',
  progress: SILENT_PROGRESS,
};

/** Users who take four items of a group of ten, then four of another group: the latest item says what the next one is of. */
function createFickleDataset(): PreparedDataset {
  const dataset = createSyntheticDataset({ users: USERS, items: 60 });
  const random = createSeededRandom(11);
  const rows: [number, number, number][] = [];
  for (let user = 0; user < USERS; user++) {
    const shelves = Array.from({ length: 6 }, (_, group) =>
      random.shuffle(Array.from({ length: 10 }, (_, at) => 6 * at + group)),
    );
    for (let visit = 0, day = 0; visit < 4; visit++) {
      const filled = shelves.filter(({ length }) => length >= 4);
      for (const item of filled[random.integer(filled.length)]!.splice(0, 4))
        rows.push([user, item, START + 86_400 * day++ + user]);
    }
  }
  const interactions = interactionTable(rows, { users: USERS, items: dataset.catalogue.entities });
  return { ...dataset, interactions };
}

/** Trains on the train part of a dataset and lets the test ask. */
async function withReplay(
  dataset: PreparedDataset,
  work: (
    replay: (changes?: Partial<ReplayOptions>) => Promise<ReplayedSplit>,
    split: EvaluationSplit,
    engine: Engine,
  ) => Promise<void>,
): Promise<void> {
  const split = splitChronologically(dataset.interactions);
  const scenarios = [SCENARIOS.get('home')!, SCENARIOS.get('popular')!];
  const options = {
    config: smallTrainingConfig(),
    trainingProtocol: 'chronological',
    progress: SILENT_PROGRESS,
  } as const;
  const trained = await trainBundle(split, dataset, { ...options, scenario: scenarios[0]! });
  await withTrainedEngine(trained, { dataset, ...options, provenance: PROVENANCE, scenarios }, (engine) =>
    work((changes) => replaySplit(split, engine, { ...OPTIONS, ...changes }), split, engine),
  );
}

t.test('users who change their taste', async (t) => {
  await withReplay(createFickleDataset(), async (replay, split, engine) => {
    const whole = await replay();

    await t.test('are asked about each of their items, by every arm', async (t) => {
      const asks = listWalks(split, { ...OPTIONS.limits, seed: 42 }).flatMap((walk) => [...listAsks(walk)]);
      t.equal(
        asks.length,
        split.queries.reduce((sum, { relevant }) => sum + relevant.length, 0),
      );
      t.equal(whole.users.length, asks.length);
      for (const ranks of Object.values(whole.reciprocalRanks)) t.equal(ranks.length, asks.length);
      t.match(whole, { walks: USERS, events: 4 * USERS, leftOut: { walks: 0, events: 0 } });
    });

    await t.test('are seen to by what they do, and not by what others do', async (t) => {
      const { arms } = summariseReplay([whole], OPTIONS);
      const [frozen, live, control] = arms;
      t.ok(live!.over.hitRate.low > 0, JSON.stringify(live!.over.hitRate));
      t.ok(live!.over.mrr.low > 0);
      t.notOk(control!.over.hitRate.low > 0, JSON.stringify(control!.over.hitRate));
      t.notOk(control!.over.mrr.low > 0);
      t.same([frozen!.over.hitRate.low, frozen!.over.hitRate.high], [0, 0]);
    });

    await t.test('are answered as by the bundle alone before anything is pushed', async (t) => {
      const first = await replay({ limits: { users: 100, events: 1 } });
      t.equal(first.users.length, USERS);
      t.same(first.reciprocalRanks.live, first.reciprocalRanks.frozen);
      t.same(first.reciprocalRanks.control, first.reciprocalRanks.frozen);
      t.match(first.leftOut, { walks: 0, events: 3 * USERS });
      t.notSame(whole.reciprocalRanks.live, whole.reciprocalRanks.frozen, 'afterwards they are not');
    });

    await t.test(
      'are answered the same again by the same seed, and fewer are asked within limits',
      async (t) => {
        const limits = { users: 10, events: 3 };
        const some = await replay({ limits });
        t.same(some, await replay({ limits }));
        t.match(some, { walks: 10, events: 30, leftOut: { walks: USERS - 10, events: 4 * USERS - 30 } });
      },
    );

    await t.test(
      'are known by rows that were counted already: weights and a minimum do not count again',
      async (t) => {
        const counting = { weights: { view: 1, purchase: 5 }, minimumValue: 3 };
        t.same(await replaySplit(split, { ...engine, counting }, OPTIONS), whole);
      },
    );

    await t.test('are never known to have taken what is asked for', async (t) => {
      const seen: Int32Array[] = [];
      const als = engine.sources.get('als')!;
      const listening: CandidateSource = {
        ...als,
        retrieve: (query) => {
          seen.push(query.history.items);
          return als.retrieve(query);
        },
      };
      const sources = new Map([...engine.sources, ['als', listening]]);
      const same = await replaySplit(split, { ...engine, sources }, OPTIONS);
      t.same(same, whole);
      const walks = listWalks(split, { ...OPTIONS.limits, seed: 42 });
      const asks = walks.flatMap((walk) => Array.from(listAsks(walk), (ask) => ask));
      t.equal(seen.length, REPLAY_ARMS.length * asks.length);
      const known = asks.map(({ own }, at) => {
        const [frozen] = seen.slice(REPLAY_ARMS.length * at);
        return [...frozen!, ...own.map(({ itemId }) => engine.catalogue.entities.find(itemId))];
      });
      t.same(
        asks.map((_, at) => [...seen[REPLAY_ARMS.length * at + 1]!]),
        known,
        'live knows the history, then what was pushed',
      );
      t.notOk(asks.some(({ target }, at) => known[at]!.includes(target)));
    });
  });
});
