import { createFoldIn, type AlsModel } from '../../../candidates/als.js';
import { scoreAll } from '../../../candidates/inner-product.js';
import type { SettledConfig, TrainingConfig } from '../../../config/training-config.js';
import { historyOf, type Histories } from '../../../domain/history.js';
import { toHistories } from '../../../domain/interactions.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { idealGain } from '../../protocol/ranking-metrics.js';
import type { EvaluationQuery, EvaluationSplit } from '../../protocol/splits.js';
import { trainImplicitAls } from './implicit-als.js';

/** A pair of numbers that implicit ALS is trained with. */
export type AlsWeights = Pick<SettledConfig['als'], 'unobservedWeight' | 'regularisation'>;

/** The pair that validation chose, and what it was chosen from. */
export interface AlsChoice extends AlsWeights {
  /** Length of the judged lists. */
  readonly k: number;
  readonly queries: number;
  /** Those that each pair was trained on. */
  readonly interactions: number;
  /** Mean nDCG@k of each pair, in the order in which they were tried. */
  readonly tried: readonly (AlsWeights & { readonly ndcg: number })[];
}

/** α0 times all pairs is about so many times what was observed: the weight that is tried first. */
const UNOBSERVED_SHARE = 10;
/** Weights are numbers of this series, so that a few interactions more seldom change the choice. */
const SERIES = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1];
const REGULARISATIONS = [0.003, 0.01, 0.03, 0.1];
/** Of the judged lists: `als` fills tens of places among the candidates. */
const K = 100;
/** What bounds the cost. */
const LIMITS = { dimensions: 32, epochs: 6, interactions: 200_000, queries: 500 };

type Tried = AlsChoice['tried'][number];

/**
 * Chooses the weight of what was not observed, and the regularisation, of implicit ALS by what users of a split took next: small models
 * are trained on the train part, or a draw of its users, and their lists judged by nDCG@100. The regularisation is chosen first, with a weight that goes
 * by the density of the data, however large the catalogue; then that weight is compared with those beside it. A number of the config stays as it is.
 *
 * The same split and seed give the same choice with any number of threads.
 */
export async function chooseAlsWeights(
  split: Pick<EvaluationSplit, 'train' | 'queries'>,
  options: { config: TrainingConfig; threads: number; progress: ProgressReporter },
): Promise<AlsChoice> {
  const { als } = options.config;
  const histories = toHistories(split.train);
  const weights = als.unobservedWeight === 'auto' ? listWeights(histories) : [als.unobservedWeight];
  const regularisations = als.regularisation === 'auto' ? REGULARISATIONS : [als.regularisation];
  const step = options.progress.start('numbers of als', regularisations.length + weights.length - 1);
  const trial = createTrial(split, histories, options);
  const tried: Tried[] = [];
  const tryPair = async (pair: AlsWeights): Promise<void> => {
    tried.push({ ...pair, ndcg: await trial.judge(pair) });
    step.advance();
  };
  for (const regularisation of regularisations)
    await tryPair({ unobservedWeight: weights[0]!, regularisation });
  const { regularisation } = findBest(tried);
  for (const unobservedWeight of weights.slice(1)) await tryPair({ unobservedWeight, regularisation });
  const { ndcg: _, ...best } = findBest(tried);
  const choice = {
    ...best,
    k: K,
    queries: trial.queries,
    interactions: trial.interactions,
    tried,
  };
  step.finish(describeAlsChoice(choice));
  return choice;
}

/** The first of those with the highest figure. */
function findBest(tried: readonly Tried[]): Tried {
  return tried.reduce((best, each) => (each.ndcg > best.ndcg ? each : best));
}

/** What judges a pair of numbers, always by the same users. */
function createTrial(
  { train, queries: asked }: Pick<EvaluationSplit, 'train' | 'queries'>,
  histories: Histories,
  { config, threads }: { config: TrainingConfig; threads: number },
): { judge(pair: AlsWeights): Promise<number>; readonly queries: number; readonly interactions: number } {
  const sample = drawUsers(histories, config.seed);
  const queries = drawQueries(asked, histories, config.seed);
  return {
    queries: queries.length,
    interactions: sample.items.length,
    judge: async (pair) => {
      const model = await trainImplicitAls(sample, {
        ...config.als,
        ...pair,
        dimensions: Math.min(config.als.dimensions, LIMITS.dimensions),
        epochs: Math.min(config.als.epochs, LIMITS.epochs),
        weighted: train.weighted === true,
        itemCount: train.items.size,
        seed: config.seed,
        threads,
      });
      return judge(model, histories, queries);
    },
  };
}

/** A choice in a line. */
export function describeAlsChoice(choice: AlsChoice): string {
  const { unobservedWeight, regularisation, k, queries, tried } = choice;
  const figures = tried.map(({ ndcg }) => ndcg);
  return (
    `unobservedWeight ${unobservedWeight}, regularisation ${regularisation}: nDCG@${k} ${Math.max(...figures).toFixed(4)} of ` +
    `${queries.toLocaleString('en')} users, ${Math.min(...figures).toFixed(4)} by the worst of ${tried.length} tried`
  );
}

/** The weight of the series that is nearest to what the density asks for, then those beside it. */
function listWeights(histories: Histories): number[] {
  const wanted = Math.log(UNOBSERVED_SHARE * measureDensity(histories));
  const distances = SERIES.map((weight) => Math.abs(Math.log(weight) - wanted));
  const nearest = distances.indexOf(Math.min(...distances));
  return [nearest, nearest - 1, nearest + 1].flatMap((at) => SERIES[at] ?? []);
}

/** Share of the pairs that were observed, among users and items that have any; 1 where there are none. */
function measureDensity({ offsets, items }: Histories): number {
  const users = offsets.slice(1).filter((end, user) => end > offsets[user]!).length;
  return items.length === 0 ? 1 : items.length / (users * new Set(items).size);
}

/** The histories of as many users as the limit has room for, drawn by the seed; all where they fit. The others are empty. */
function drawUsers(histories: Histories, seed: number): Histories {
  const { offsets, items, timestamps, values } = histories;
  if (items.length <= LIMITS.interactions) return histories;
  const userCount = offsets.length - 1;
  const drawn = new Uint8Array(userCount);
  let rows = 0;
  for (const user of createSeededRandom(`users of als ${seed}`).shuffle([...drawn.keys()])) {
    rows += offsets[user + 1]! - offsets[user]!;
    if (rows > LIMITS.interactions) break;
    drawn[user] = 1;
  }
  const kept = new Uint32Array(userCount + 1);
  const entries: number[] = [];
  for (let user = 0; user < userCount; user++) {
    if (drawn[user] === 1) for (let at = offsets[user]!; at < offsets[user + 1]!; at++) entries.push(at);
    kept[user + 1] = entries.length;
  }
  return {
    offsets: kept,
    items: Int32Array.from(entries, (at) => items[at]!),
    timestamps: Float64Array.from(entries, (at) => timestamps[at]!),
    values: Float32Array.from(entries, (at) => values[at]!),
  };
}

/** Queries of users with a history, as many as the limit has room for, drawn by the seed. */
function drawQueries(
  queries: readonly EvaluationQuery[],
  histories: Histories,
  seed: number,
): readonly EvaluationQuery[] {
  const answerable = queries.filter(({ user }) => historyOf(histories, user).items.length > 0);
  return createSeededRandom(`queries of als ${seed}`).shuffle(answerable).slice(0, LIMITS.queries);
}

/** Mean nDCG@k of the lists of a model, without the items of the history; 0 where there is no query. */
function judge(model: AlsModel, histories: Histories, queries: readonly EvaluationQuery[]): number {
  const foldIn = createFoldIn(model);
  const scores = new Float32Array(model.factors.length / model.dimensions);
  let sum = 0;
  for (const { user, relevant } of queries) {
    const history = historyOf(histories, user);
    const vector = foldIn(history);
    scoreAll(model.factors, vector, scores);
    for (const item of history.items) scores[item] = Number.NEGATIVE_INFINITY;
    sum += gainOf(scores, relevant) / idealGain(Math.min(K, relevant.length));
  }
  return queries.length === 0 ? 0 : sum / queries.length;
}

/** Discounted gain of the relevant items within the first k places; ties stand by ascending item. */
function gainOf(scores: Float32Array, relevant: Int32Array): number {
  let gain = 0;
  for (const item of relevant) {
    const score = scores[item]!;
    let rank = 0;
    for (let other = 0; other < scores.length && rank < K; other++) {
      if (scores[other]! > score || (scores[other] === score && other < item)) rank++;
    }
    if (rank < K) gain += 1 / Math.log2(rank + 2);
  }
  return gain;
}
