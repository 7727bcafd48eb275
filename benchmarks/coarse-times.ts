import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimilarItemsSource } from '../src/candidates/similar-items.js';
import { historyOf } from '../src/domain/history.js';
import { toHistories, type InteractionTable } from '../src/domain/interactions.js';
import { judgeTimes } from '../src/domain/time-facts.js';
import { drawOrderOfTies, readTrainingDataset } from '../src/offline/data/settle-times.js';
import { evaluateSlates, type MetricSummary } from '../src/offline/protocol/ranking-metrics.js';
import { splitChronologically, toSplitFacts } from '../src/offline/protocol/splits.js';
import { alignColumns } from '../src/offline/report/align-columns.js';
import { formatEstimate, formatShare } from '../src/offline/report/figure-format.js';
import { findItemNeighbours } from '../src/offline/training/candidates/item-neighbours.js';

/**
 * From which share of ordered pairs on the order of a history is worth reading: the last quarter of each user's rows by their true times is to
 * be predicted, by item neighbours that know the times of the first three quarters to the second, the hour, the day and so on only. Rows of
 * one such time are in a drawn order, as in training.
 */
const UNITS = [
  ['second', 1],
  ['hour', 3600],
  ['day', 86_400],
  ['week', 7 * 86_400],
  ['month', 30 * 86_400],
  ['quarter', 91 * 86_400],
  ['year', 365 * 86_400],
  ['ten years', 3650 * 86_400],
] as const;
const K = 10;
const SEED = 42;

const { values } = parseArgs({
  options: { dataset: { type: 'string', default: 'demo' }, data: { type: 'string', default: 'data' } },
});
const dataset = await readTrainingDataset(join(values.data, 'prepared', values.dataset), { seed: SEED });
const itemCount = dataset.interactions.items.size;
const split = splitChronologically(dataset.interactions);
const facts = toSplitFacts(split);

const head = ['times to the', 'ordered pairs', 'last 20, weighed by recency', 'whole history, all alike'];
const rows = UNITS.map(([unit, seconds]) => {
  const train = drawOrderOfTies(coarsen(split.train, seconds), { seed: SEED });
  const recent = judge(train, { lastItems: 20, recencyExponent: 0.5 });
  const whole = judge(train, { lastItems: 1000, recencyExponent: 0 });
  return [
    unit,
    formatShare(judgeTimes(train).orderedShare),
    formatEstimate(recent.ndcg),
    formatEstimate(whole.ndcg),
  ];
});
console.log(`${values.dataset}, ${split.label}, ${split.queries.length} queries, nDCG@${K} ± se`);
console.log(alignColumns([head, ...rows]).join('\n'));

function coarsen(table: InteractionTable, seconds: number): InteractionTable {
  return { ...table, timestamp: table.timestamp.map((time) => seconds * Math.floor(time / seconds)) };
}

function judge(
  train: InteractionTable,
  weighting: { lastItems: number; recencyExponent: number },
): MetricSummary {
  const histories = toHistories(train);
  const links = findItemNeighbours(histories, { itemCount });
  const source = createSimilarItemsSource('similar-items', links, weighting);
  const slates = split.queries.map(({ user }) => {
    const history = historyOf(histories, user);
    const eligible = new Uint8Array(itemCount).fill(1);
    for (const item of history.items) eligible[item] = 0;
    const found = source.retrieve({ userId: train.users.idAt(user), history, eligible, limit: K });
    return (found as { items: Int32Array }).items;
  });
  return evaluateSlates([{ split: facts, slates }], { k: K });
}
