import type { JudgingProtocol } from '../../config/evaluation-protocol.js';
import type { EvaluationResult, EvaluationRow } from './evaluation-result.js';
import {
  formatCount,
  formatDifference,
  formatEstimate,
  formatLift,
  formatOptionalShare,
  formatScore,
  formatShare,
} from '../report/figure-format.js';
import { html, type Html } from '../report/html.js';
import { renderFigure, renderReportPage, renderTable, renderTiles } from '../report/report-page.js';
import { describeIndex } from './evaluation-table.js';
import { describeAlsChoice } from '../training/candidates/choose-als-weights.js';
import { describeSearch } from '../training/tuning/describe-search.js';
import { describeLead, describeReplay, listReplayRows } from './replay/replay-table.js';
import type { ReplayFigures } from './replay/summarise-replay.js';
import { listFigures } from './report-figures.js';
import { listTimeFacts } from './time-lines.js';

/** What a reader must know before believing a figure of the protocol. */
const CAVEATS: Record<JudgingProtocol, readonly string[]> = {
  rolling: [
    'Each window is answered by a bundle that was trained on nothing later than the start of that window, as in production. This is the figure to decide by.',
    'People who come back in several windows count once in each; the interval allows for their being the same people.',
  ],
  chronological: [
    'Each person’s last interactions are predicted from their first ones. What other people did later is known to the training, so anything that follows trends looks better here than it will in production: use this to compare, not to forecast.',
  ],
  'last-out': [
    'Each person’s very last interaction is predicted from all that came before it, so a list has one item to find. What other people did later is known to the training, so anything that follows trends looks better here than it will in production: use this to compare, not to forecast.',
  ],
  frozen: [
    'The pairs of person and item to predict come from a file. All rows of each pair are held out: of an item that somebody came back to, nothing is left in what they are known for. What else the split may leak is the matter of who made it.',
  ],
  random: [
    'The rows to predict were drawn at random, so the training knows what came before and after them. This compares with published tables; it cannot show what a ranker is worth in production.',
  ],
};

const COMMON_CAVEATS = [
  'Whoever is asked had at least one item to find. The whole catalogue is ranked, without the items that the person already has.',
  'Only what people did on their own counts as right. A good recommendation that nobody happened to act on counts as a miss, so the figures compare rankings; they are not the share of people who will be pleased.',
  'The best single source was picked on these very queries, which flatters it: the lift is rather too small than too large.',
];

const DEFINITIONS = [
  [
    'nDCG',
    'how much of the best possible order the list reaches: hits count more the higher they stand. ± is one standard error.',
  ],
  ['lift', 'difference in nDCG to the best single source, in percent of it.'],
  ['MAP', 'precision at each hit, averaged over everything there was to find.'],
  ['precision', 'share of the list that was right.'],
  ['recall', 'share of what there was to find that is in the list.'],
  ['MRR', 'one over the place of the first hit.'],
  ['hit rate', 'share of lists with at least one hit.'],
  ['coverage', 'share of the catalogue that was recommended to anybody.'],
  ['popular', 'share of recommendations that went to the most popular tenth of the catalogue.'],
  ['novelty', 'how rarely the recommended items are met, in bits: one more is half as often.'],
  [
    'diversity',
    'how unlike the items of a list are in their categories, from 0 % (all alike) to 100 % (nothing in common); – where items have none.',
  ],
] as const;

/** One self-contained HTML page about an evaluation: figures in words and in plots, without scripts or requests. */
export function renderEvaluationReport(result: EvaluationResult): string {
  return renderReportPage(`Evaluation of ${result.dataset.name} (${result.protocol})`, [
    renderSummary(result),
    ...listFigures(result).map(renderFigure),
    renderAllMetrics(result),
    ...(result.replay === undefined ? [] : [renderReplay(result.replay, result.k)]),
    renderCaveats(result),
    renderRun(result),
  ]);
}

function renderSummary(result: EvaluationResult): Html {
  const { dataset, protocol, comparison, createdAt } = result;
  const { difference, low, high, confidence } = comparison;
  return html`<header>
    <p class="eyebrow">Shortlist evaluation · ${dataset.name} · ${protocol} · ${createdAt.slice(0, 10)}</p>
    <h1>${headline(result)}</h1>
    <p class="lead">
      ${formatCount(countQueries(result))} times somebody was answered with a list of ${result.k}, and the
      list was compared with what they went on to do. The difference in nDCG@${result.k} between
      ${comparison.twoStage} and ${comparison.bestSingle} is ${formatDifference(difference)}; with
      ${Math.round(100 * confidence)} % confidence it lies between ${formatDifference(low)} and
      ${formatDifference(high)}.
    </p>
    ${renderTiles(listTiles(result))}
  </header>`;
}

function headline({ comparison }: EvaluationResult): string {
  const { bestSingle, lift, low, high } = comparison;
  const by = lift === null ? '' : `, by ${formatShare(Math.abs(lift))}`;
  if (low > 0) return `Two stages beat the best single source, ${bestSingle}${by}`;
  if (high < 0) return `Two stages lose to one source alone, ${bestSingle}${by}`;
  return `Two stages and the best single source, ${bestSingle}, cannot be told apart here`;
}

function listTiles(result: EvaluationResult): (readonly [string, string])[] {
  const { comparison, candidates, k } = result;
  const { metrics } = result.rows.find((row) => row.name === comparison.twoStage)!;
  return [
    [
      formatScore(metrics.ndcg.mean),
      `nDCG@${k} of ${comparison.twoStage}, standard error ${formatScore(metrics.ndcg.standardError)}`,
    ],
    [formatLift(comparison.lift), `over ${comparison.bestSingle}, the best single source`],
    [formatShare(metrics.hitRate.mean), `of the lists hold something the person went on to choose`],
    [
      formatShare(candidates.recall.mean),
      `of what there was to find is among the ${formatCount(candidates.meanCount)} candidates: the ceiling`,
    ],
  ];
}

function renderAllMetrics(result: EvaluationResult): Html {
  const head = [
    'ranking',
    'nDCG',
    'lift',
    'MAP',
    'precision',
    'recall',
    'MRR',
    'hit rate',
    'coverage',
    'popular',
    'novelty',
    'diversity',
  ];
  return html`<section>
    <h2>Every figure</h2>
    <p class="note">
      All over the first ${result.k} places of a list; means over ${formatCount(countQueries(result))} lists.
    </p>
    <div class="scroll">${renderTable(head, result.rows.map(listMetrics))}</div>
    <dl>
      ${DEFINITIONS.map(
        ([term, meaning]) =>
          html`<dt>${term}</dt>
            <dd>${meaning}</dd>`,
      )}
    </dl>
  </section>`;
}

function listMetrics({ name, metrics, liftOverBestSingle }: EvaluationRow): string[] {
  const { ndcg, map, precision, recall, mrr, hitRate, coverage, popularityShare, novelty, diversity } =
    metrics;
  return [
    name,
    formatEstimate(ndcg),
    formatLift(liftOverBestSingle),
    ...[map, precision, recall, mrr].map(({ mean }) => formatScore(mean)),
    ...[hitRate.mean, coverage, popularityShare].map(formatShare),
    novelty.toFixed(2),
    formatOptionalShare(diversity),
  ];
}

function renderReplay(replay: ReplayFigures, k: number): Html {
  const [head, ...rows] = listReplayRows(replay, k);
  return html`<section>
    <h2>What is it worth to know what people did just now?</h2>
    <p class="note">
      ${describeReplay(replay)} The same was asked of all three; what differs is whose events were told.
      ${describeLead(replay)}
    </p>
    <div class="scroll">${renderTable(head!, rows)}</div>
  </section>`;
}

function renderCaveats(result: EvaluationResult): Html {
  const caveats = [...CAVEATS[result.protocol], ...listTimeFacts(result), ...COMMON_CAVEATS];
  return html`<section>
    <h2>How far to trust this</h2>
    <ul>
      ${caveats.map((caveat) => html`<li>${caveat}</li>`)}
    </ul>
  </section>`;
}

function renderRun({
  dataset,
  splits,
  timings,
  seed,
  search,
  index,
  alsChoices = [],
  createdAt,
  command,
}: EvaluationResult): Html {
  const trainRows = splits.map((split) => split.trainRows);
  const facts = [
    ['made', `${createdAt}, seed ${seed}`],
    [
      'dataset',
      `${dataset.name}: ${formatCount(dataset.users)} users, ${formatCount(dataset.items)} items, ` +
        `${formatCount(dataset.interactions)} interactions${dataset.target === undefined ? '' : `, target ${dataset.target}`}`,
    ],
    ['splits', splits.map((split) => split.label).join(', ')],
    ['train rows', trainRows.map(formatCount).join(', ')],
    ...(search === undefined ? [] : ([['search', describeSearch(search)]] as const)),
    ...(index === undefined ? [] : ([['index of als', describeIndex(index)]] as const)),
    ...(alsChoices.length === 0
      ? []
      : ([['numbers of als', alsChoices.map(describeAlsChoice).join('; ')]] as const)),
    ['time', timings.map(({ step, seconds }) => `${step} ${seconds.toFixed(1)} s`).join(', ')],
  ] as const;
  return html`<section>
    <h2>This run</h2>
    <dl>
      ${facts.map(
        ([term, meaning]) =>
          html`<dt>${term}</dt>
            <dd>${meaning}</dd>`,
      )}
      <dt>again</dt>
      <dd><code>${command}</code></dd>
    </dl>
  </section>`;
}

function countQueries({ splits }: EvaluationResult): number {
  return splits.reduce((sum, split) => sum + split.queries, 0);
}
