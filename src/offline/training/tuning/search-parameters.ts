import { createHash } from 'node:crypto';
import type { SettledConfig, TrainingConfig } from '../../../config/training-config.js';
import type { EvaluationSplit } from '../../protocol/splits.js';
import { formatScore } from '../../report/figure-format.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { EvaluationProtocol, TrainingProtocol } from '../../../config/evaluation-protocol.js';
import {
  chooseProtocol,
  chooseTrainingProtocol,
  type ProtocolNames,
} from '../../protocol/choose-protocol.js';
import { makeTestSplits, makeTrainingSplits } from '../../protocol/make-splits.js';
import { refuseUnfitNumbers } from '../views/refuse-unfit-numbers.js';
import type { SearchSummary, Tuning } from '../bundle/search-summary.js';
import { settleConfig } from '../bundle/settle-config.js';
import type { TrainingOptions } from '../bundle/train-bundle.js';
import { findSkippedSources } from '../candidates/train-sources.js';
import { settleBoosting } from '../ranker/settle-boosting.js';
import type { Provenance } from '../bundle/provenance.js';
import { chooseTrial, countErrorsNeeded, estimateGain, findBest } from './choose-trial.js';
import { FOLDS, planJudgement, type Judgement } from './judgement.js';
import { judgeTrial } from './judge-trial.js';
import { describeTrial, formatTime } from './describe-search.js';
import { createTrialClock, type TrialClock } from './trial-clock.js';
import { openTrialLog, type SearchKey, type Trial } from './trial-log.js';
import { makeTrialRows, type TrialRows } from './trial-rows.js';
import {
  applyValues,
  drawTrial,
  findCandidates,
  listTunedParameters,
  type TrialValues,
} from './tuned-parameters.js';

/** Bounds on a search, by time or by number of trials; one of the two at least. */
export interface SearchLimits {
  /** No trial begins that is not likely to end in this time; the first of a search always does. */
  readonly budgetMs?: number | undefined;
  /** Trials in all, those of earlier runs and that of the config among them. */
  readonly maxTrials?: number | undefined;
}

/** Options of `searchParameters`. */
export interface SearchOptions extends Omit<TrainingOptions, 'trainingProtocol'>, ProtocolNames {
  readonly provenance: Provenance;
  readonly limits: SearchLimits;
  /** Where the trials of a dataset are kept. */
  readonly searchesDir: string;
  /** Milliseconds of a clock; for tests. */
  readonly now?: (() => number) | undefined;
}

/** What stays the same over all trials of a search. */
interface Search extends SearchOptions {
  /** Trials change numbers, and what the config leaves open is chosen before the first. */
  readonly config: SettledConfig;
  readonly dataset: PreparedDataset;
  readonly protocol: EvaluationProtocol;
  readonly trainingProtocol: TrainingProtocol;
  /** The train part of the protocol's first test split: whatever evaluation tests on, no trial has seen. */
  readonly known: EvaluationSplit;
  readonly judgement: Judgement;
  readonly clock: TrialClock;
}

/** Rows and the number of the candidate sources that gave them. */
interface NumberedRows {
  readonly candidates: number;
  readonly rows: TrialRows;
}

/**
 * Looks for training parameters that serve a dataset better than those of the config: trial 0 is the config itself, the others draw a few
 * numbers of it by the seed and their number. A trial is judged by the lists of users whom its ranker did not learn from, inside
 * the train part of the protocol, and each is on disk before the next begins. The best is chosen when it is above
 * the config by more than chance would make of so many trials. How long there is decides how many trials are made, and
 * nothing else.
 *
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED when the protocol leaves too little to judge by
 */
export async function searchParameters(dataset: PreparedDataset, options: SearchOptions): Promise<Tuning> {
  refuseUnfitNumbers(dataset);
  const { config, scenario, limits } = options;
  const { times } = dataset.interactions;
  const protocol = chooseProtocol(options, times);
  const trainingProtocol = chooseTrainingProtocol(config, { protocol, times });
  const [known] = makeTestSplits(dataset.interactions, protocol, config);
  const settled = await settleConfig(known!, { ...options, trainingProtocol });
  const judgement = planJudgement(makeTrainingSplits(known!, trainingProtocol, config), { config, scenario });
  const clock = createTrialClock(limits.budgetMs, options);
  const search: Search = {
    ...options,
    ...settled,
    dataset,
    protocol,
    trainingProtocol,
    known: known!,
    judgement,
    clock,
  };
  const log = await openTrialLog(options.searchesDir, makeKey(search));
  log.notices.forEach((notice) => options.progress.start('search').finish(notice));
  const trials = log.trials.slice(0, limits.maxTrials);
  let shared: NumberedRows | undefined;
  while (isTimeForMore(trials, shared, search)) {
    shared = await provideRows(trials, shared, search);
    const trial = await runTrial(trials, shared.rows, search);
    await log.append(trial);
    trials.push(trial);
  }
  const record = recordTrials(trials, search);
  return { config: applyValues(config, record.chosen.values), search: record };
}

/** One file for all that gives the same figures. */
function makeKey({ dataset, config, scenario, protocol, provenance }: Search): SearchKey {
  return {
    dataset: dataset.fingerprint,
    'training config': hashJson(config),
    scenario: hashJson(scenario),
    protocol,
    times: dataset.interactions.times.ignored === true ? 'ignored' : 'used',
    code: [provenance.codeVersion, provenance.gitCommit].join(' ').trim(),
  };
}

function hashJson(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function isTimeForMore(
  { length }: readonly Trial[],
  shared: NumberedRows | undefined,
  { clock, limits }: Search,
): boolean {
  if (length >= (limits.maxTrials ?? Number.POSITIVE_INFINITY)) return false;
  return length === 0 || clock.hasTimeFor({ rows: shared?.candidates !== findCandidates(length) });
}

/** The rows that the next trial needs: those of the trial before where it has the same candidate sources. */
async function provideRows(
  trials: readonly Trial[],
  shared: NumberedRows | undefined,
  search: Search,
): Promise<NumberedRows> {
  const candidates = findCandidates(trials.length);
  if (shared?.candidates === candidates) return shared;
  const { known, dataset, progress, clock } = search;
  const step = progress.start(`candidates of ${labelNext(trials, search)}`);
  const config = applyValues(search.config, drawNext(trials, search));
  const rows = await clock.measure('rows', () => makeTrialRows(known, dataset, { ...search, config, step }));
  step.finish(`${rows.training.length} queries to train on, ${rows.judged.length} to judge by`);
  return { candidates, rows };
}

async function runTrial(trials: readonly Trial[], rows: TrialRows, search: Search): Promise<Trial> {
  const { judgement, scenario, clock } = search;
  const values = drawNext(trials, search);
  const config = applyValues(search.config, values);
  const step = search.progress.start(labelNext(trials, search), countTrees(config, search));
  const figures = await clock.measure('ranker', () =>
    judgeTrial(rows, { config, scenario, judgement, step }),
  );
  const users = rows.judged.map(({ user }) => user);
  const rankers = users.map((user) => judgement.foldOf.get(user)!);
  const trial = {
    trial: trials.length,
    values,
    ndcg: figures.reduce((sum, figure) => sum + figure, 0) / figures.length,
    ...estimateGain(figures, trials[0]?.figures ?? figures, { users, rankers }),
    ...(trials.length === 0 && { figures: [...figures] }),
  };
  step.finish(describeTrial(trial, config.evaluation.k));
  return trial;
}

function drawNext({ length }: readonly Trial[], { dataset, config, scenario }: Search): TrialValues {
  const skipped = findSkippedSources(dataset, config);
  const sources = Object.keys(scenario.sources).filter((name) => !skipped.has(name));
  const parameters = listTunedParameters(new Set(sources), dataset.interactions.times);
  return drawTrial(length, { seed: config.seed, parameters });
}

/** Trees that a trial grows at most. */
function countTrees({ ranker }: TrainingConfig, { scenario }: Search): number {
  const { maxTrees } = settleBoosting(ranker, { queries: 0, candidates: scenario.maxCandidates });
  return FOLDS * ranker.objectives.length * maxTrees;
}

/** `trial 7 (best nDCG@10 0.2143, 8 min left)` */
function labelNext(trials: readonly Trial[], { config, clock, limits }: Search): string {
  const leftMs = clock.leftMs();
  const left = [
    ...(leftMs === undefined ? [] : [`${formatTime(leftMs)} left`]),
    ...(limits.maxTrials === undefined ? [] : [`${limits.maxTrials - trials.length} to go`]),
  ];
  const best =
    trials.length === 0
      ? 'the config as it is'
      : `best nDCG@${config.evaluation.k} ${formatScore(findBest(trials).ndcg)}`;
  return `trial ${trials.length} (${[best, ...left].join(', ')})`;
}

function recordTrials(trials: readonly Trial[], { protocol, config, judgement }: Search): SearchSummary {
  const { figures } = trials[0]!;
  return {
    protocol,
    k: config.evaluation.k,
    trials: trials.length,
    judged: { queries: figures!.length, users: judgement.foldOf.size },
    config: { ndcg: trials[0]!.ndcg },
    errorsNeeded: countErrorsNeeded(trials.length),
    best: withoutFigures(findBest(trials)),
    chosen: withoutFigures(chooseTrial(trials)),
  };
}

function withoutFigures(judged: Trial): SearchSummary['best'] {
  const { figures: _, ...trial } = judged;
  return trial;
}
