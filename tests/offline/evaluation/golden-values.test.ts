import fc from 'fast-check';
import t from 'tap';
import { createPopularitySource } from '../../../src/candidates/popularity.js';
import { historyOf } from '../../../src/domain/history.js';
import { toHistories, type InteractionTable } from '../../../src/domain/interactions.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { selectTopK } from '../../../src/domain/top-k.js';
import { countPopularity } from '../../../src/offline/training/candidates/popularity.js';
import { evaluateSlates } from '../../../src/offline/protocol/ranking-metrics.js';
import { toSplitFacts, splitRandomly, type EvaluationSplit } from '../../../src/offline/protocol/splits.js';
import { makeTable, type Row } from '../protocol/make-table.js';

/** What one list is worth, by the definitions and nothing else: places are walked one by one. */
function judgeNaively(ranked: readonly string[], relevant: ReadonlySet<string>, k: number) {
  let dcg = 0;
  let hits = 0;
  let precisions = 0;
  let firstHit = 0;
  for (let place = 1; place <= k; place++) {
    const item = ranked[place - 1];
    if (item === undefined || !relevant.has(item)) continue;
    hits += 1;
    dcg += Math.LN2 / Math.log(place + 1);
    precisions += hits / place;
    if (firstHit === 0) firstHit = place;
  }
  let ideal = 0;
  for (let place = 1; place <= Math.min(k, relevant.size); place++) ideal += Math.LN2 / Math.log(place + 1);
  return {
    ndcg: dcg / ideal,
    map: precisions / relevant.size,
    precision: hits / k,
    recall: hits / relevant.size,
    mrr: firstHit === 0 ? 0 : 1 / firstHit,
    hitRate: hits > 0 ? 1 : 0,
  };
}

const METRICS = ['ndcg', 'map', 'precision', 'recall', 'mrr', 'hitRate'] as const;

/** The same by raw ids: every item is sorted by its score, equal ones by their id as numbers; train items are struck out. */
function evaluateNaively(
  { train, queries }: EvaluationSplit,
  scoreOf: (user: string, item: string) => number,
  k: number,
): Record<(typeof METRICS)[number], number> {
  const judged = queries.map(({ user, relevant }) => {
    const userId = train.users.idAt(user);
    const seen = new Set(
      [...train.item].filter((_, row) => train.user[row] === user).map((item) => train.items.idAt(item)),
    );
    const ranked = [...train.items.ids]
      .filter((item) => !seen.has(item))
      .sort((a, b) => scoreOf(userId, b) - scoreOf(userId, a) || Number(a) - Number(b));
    return judgeNaively(ranked, new Set([...relevant].map((item) => train.items.idAt(item))), k);
  });
  const meanOf = (metric: (typeof METRICS)[number]): number =>
    judged.reduce((sum, figures) => sum + figures[metric], 0) / judged.length;
  return Object.fromEntries(METRICS.map((metric) => [metric, meanOf(metric)])) as ReturnType<
    typeof evaluateNaively
  >;
}

/** Asks for the k best items of every query, what the user has in the train part left out. */
function answer(
  split: EvaluationSplit,
  k: number,
  rank: (user: number, eligible: Uint8Array) => Int32Array,
): Int32Array[] {
  const histories = toHistories(split.train);
  return split.queries.map(({ user }) => {
    const eligible = new Uint8Array(split.train.items.size).fill(1);
    for (const item of historyOf(histories, user).items) eligible[item] = 0;
    return rank(user, eligible).subarray(0, k);
  });
}

/** Numbers as ids, so that 10 comes after 9: the order of raw ids is not that of texts. */
const tableOf = fc
  .uniqueArray(
    fc.tuple(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 25 }),
      fc.integer({ min: 0, max: 40 }),
    ),
    { minLength: 20, maxLength: 120, selector: ([user, item]) => `${user} ${item}` },
  )
  .map((rows): InteractionTable =>
    makeTable(rows.map(([user, item, day]): Row => [String(user), String(item), day])),
  );

t.test('every figure agrees with the definitions, for scores with many ties', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        tableOf,
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer(),
        (table, k, levels, seed) => {
          const split = splitRandomly(table, { by: 'user', trainShare: 0.5, seed });
          const random = createSeededRandom(seed);
          const scores = Float32Array.from({ length: table.users.size * table.items.size }, () =>
            random.integer(levels),
          );
          const scoresOf = (user: number): Float32Array =>
            scores.subarray(user * table.items.size, (user + 1) * table.items.size);
          const slates = answer(
            split,
            k,
            (user, eligible) => selectTopK(scoresOf(user), { limit: k, eligible }).items,
          );
          const found = evaluateSlates([{ split: toSplitFacts(split), slates }], { k });
          const expected = evaluateNaively(
            split,
            (user, item) => scoresOf(table.users.find(user))[table.items.find(item)]!,
            k,
          );
          for (const metric of METRICS) {
            const difference = Math.abs(found[metric].mean - expected[metric]);
            if (!(difference < 1e-12)) throw new Error(`${metric} differs by ${difference}`);
          }
        },
      ),
      { numRuns: 150, seed: 7 },
    ),
  );
});

/** 60 users of 40 items; the low numbers are taken more often. */
function makeFilms(): InteractionTable {
  const random = createSeededRandom('films');
  const rows: Row[] = [];
  for (let user = 1; user <= 60; user++) {
    const taken = new Set<number>();
    while (taken.size < 12) taken.add(1 + Math.floor(40 * random.uniform() ** 2));
    for (const item of taken) rows.push([String(user), String(item), random.integer(100)]);
  }
  return makeTable(rows);
}

t.test('popularity has its golden value on a set made here', async (t) => {
  const table = makeFilms();
  const split = splitRandomly(table, { by: 'item', seed: 42 });
  const counts = countPopularity(split.train, { itemCount: table.items.size });
  const source = createPopularitySource('popular', counts);
  const slates = answer(split, 10, (user, eligible) => {
    const history = historyOf(toHistories(split.train), user);
    const retrieval = source.retrieve({ userId: table.users.idAt(user), history, eligible, limit: 10 });
    return (retrieval as { items: Int32Array }).items;
  });
  const found = evaluateSlates([{ split: toSplitFacts(split), slates }]);
  const expected = evaluateNaively(split, (_, item) => counts[table.items.find(item)]!, 10);
  for (const metric of METRICS) t.ok(Math.abs(found[metric].mean - expected[metric]) < 1e-12, metric);
  t.equal(found.ndcg.mean.toFixed(5), '0.41418', 'as it was when the definitions were last agreed');
});
