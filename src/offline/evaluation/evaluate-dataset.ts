import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { JudgingProtocol, TrainingProtocol } from '../../config/evaluation-protocol.js';
import { ShortlistError } from '../../domain/errors.js';
import { whyUnordered, type TimeFacts } from '../../domain/time-facts.js';
import { describeTarget } from '../../domain/target.js';
import type { Engine } from '../../pipeline/engine.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import { createCandidateTally } from '../protocol/candidate-recall.js';
import { chooseProtocolForSplit } from '../protocol/choose-protocol.js';
import { makeTestSplits } from '../protocol/make-splits.js';
import { listItemTraits } from '../protocol/slate-qualities.js';
import { toSplitFacts, type EvaluationSplit, type SplitFacts } from '../protocol/splits.js';
import type { SearchSummary } from '../training/bundle/search-summary.js';
import {
  labelTrainingQueries,
  listSkippedSources,
  trainBundle,
  type TrainedBundle,
  type TrainingOptions,
} from '../training/bundle/train-bundle.js';
import type { AlsChoice } from '../training/candidates/choose-als-weights.js';
import type { Provenance } from '../training/bundle/provenance.js';
import { reportTarget } from '../training/bundle/report-target.js';
import { ENCODER, mayKnow } from '../training/encoder/imported-encoder.js';
import { ablateRanker } from '../training/ranker/ablate-ranker.js';
import type { NamedFeatures } from '../training/ranker/feature-groups.js';
import type { TrainedRanker } from '../training/ranker/train-ranker.js';
import { listWorths } from '../training/stage-one/measure-worths.js';
import { answerSplit } from './answer-split.js';
import type { EvaluationResult, SplitRanker, Timing } from './evaluation-result.js';
import { listContenders, type Contender } from './list-contenders.js';
import { describeRanker, describeSplitRanker, findFeatureGroups } from './ranker-figures.js';
import type { ReplayLimits } from './replay/list-walks.js';
import { replaySplit, type ReplayedSplit } from './replay/replay-split.js';
import { summariseReplay } from './replay/summarise-replay.js';
import { summariseEvaluation } from './summarise-evaluation.js';
import { withTrainedEngine } from './with-trained-engine.js';

/** Options of `evaluateDataset`. */
export interface EvaluationOptions extends Omit<TrainingOptions, 'trainingProtocol'> {
  /** What judges; with `frozen`, `splits` are needed. */
  readonly protocol: JudgingProtocol;
  readonly provenance: Provenance;
  /** The command line that gives the result again. */
  readonly command: string;
  /** The scenario for users with nothing known of them, when `scenario` names one. */
  readonly coldStart?: ScenarioConfig | undefined;
  /** Also asks these scenarios, with and without the rules that change their order. */
  readonly placements?: readonly ScenarioConfig[] | undefined;
  /** Test splits in place of the protocol's own. */
  readonly splits?: Iterable<EvaluationSplit> | undefined;
  /** Also trains the ranker without each group of features, and asks every query again. */
  readonly ablation?: boolean | undefined;
  /** Also walks users through what they did after the cut, pushing their events, within these limits. */
  readonly replay?: ReplayLimits | undefined;
  /** The search that `config` comes from. */
  readonly search?: SearchSummary | undefined;
}

/**
 * Evaluates a dataset under a protocol. For each split a bundle is trained on the train part, written, and opened as the
 * server opens it; every held-out user is then answered by the serving pipeline, once per line of the table.
 *
 * @throws ShortlistError INVALID_BUNDLE when an imported encoder may have learned from what is asked for; INVALID_CONFIG when a
 * protocol without times is to be replayed
 */
export async function evaluateDataset(
  dataset: PreparedDataset,
  options: EvaluationOptions,
): Promise<EvaluationResult> {
  const { times } = dataset.interactions;
  refuseUnordered(options, times);
  reportTarget(dataset, options);
  const skipped = listSkippedSources(dataset, options);
  const { placements } = options;
  const contenders = listContenders(options.scenario, {
    k: options.config.evaluation.k,
    skipped,
    ...(placements && { placements }),
  });
  const sources = Object.keys(options.scenario.sources).filter((name) => !skipped.has(name));
  const tally = createCandidateTally(sources, { k: options.config.evaluation.k });
  const slates = contenders.map((): Int32Array[][] => []);
  const timings = createTimings();
  const facts: SplitFacts[] = [];
  const labelledCuts: TrainingOptions['labelledCuts'] = new Map();
  const ablations = new Map<string, Int32Array[][]>();
  const replayed: ReplayedSplit[] = [];
  let trainingProtocol: TrainingProtocol | undefined;
  const trainings: TrainingFacts[] = [];

  for (const split of makeJudgingSplits(dataset, options)) {
    refuseLeak(split, options);
    trainingProtocol = chooseProtocolForSplit(options.config, { ...options, times, split });
    const training = { ...options, trainingProtocol, labelledCuts };
    const trained = await timings.measure('training', () => trainBundle(split, dataset, training));
    await withTrainedEngine(
      trained,
      { dataset, ...options, scenarios: listScenarios(contenders, options) },
      async (engine) => {
        const answers = await timings.measure('answering', () =>
          answerSplit(split, engine, { contenders, tally, sources, ...options }),
        );
        answers.forEach((answer, index) => slates[index]!.push(answer));
        if (options.replay !== undefined)
          replayed.push(await timings.measure('replay', () => replay(split, engine, options)));
      },
    );
    facts.push(toSplitFacts(split));
    const groups = findFeatureGroups(trained, dataset, options.scenario);
    trainings.push(describeTraining(trained, { split, groups, ...options }));
    if (options.ablation !== true) continue;
    await timings.measure('ablation', async () => {
      for (const group of groups) {
        const slates = await answerWithout(group, split, { trained, dataset, ...training });
        ablations.set(group.name, [...(ablations.get(group.name) ?? []), slates]);
      }
    });
  }

  return summariseEvaluation({
    protocol: options.protocol,
    trainingProtocol: options.importedRanker === undefined ? trainingProtocol : undefined,
    dataset: describeDataset(dataset),
    k: options.config.evaluation.k,
    splits: facts,
    rankings: contenders.map(({ name, kind }, index) => ({ name, kind, slates: slates[index]! })),
    ablations:
      options.ablation === true ? [...ablations].map(([group, slates]) => ({ group, slates })) : undefined,
    replay:
      options.replay && summariseReplay(replayed, { limits: options.replay, seed: options.config.seed }),
    candidates: tally.summarise(),
    skippedSources: [...skipped].map(([name, reason]) => ({ name, reason })),
    ...summariseTrainings(trainings),
    search: options.search,
    timings: timings.list(),
    seed: options.config.seed,
    createdAt: options.provenance.createdAt,
    command: options.command,
    traits: listItemTraits(dataset.catalogue),
    userAttributes: dataset.users.attributes,
  });
}

/** The training for one split, as an evaluation tells of it. */
interface TrainingFacts extends Pick<EvaluationResult, 'ranker' | 'index' | 'sourceWorths'> {
  readonly splitRankers: readonly SplitRanker[];
  readonly alsChoice?: AlsChoice | undefined;
}

function describeTraining(
  { ranker, index, worths, alsChoice }: TrainedBundle,
  options: EvaluationOptions & { split: EvaluationSplit; groups: readonly NamedFeatures[] },
): TrainingFacts {
  const { split, groups, scenario } = options;
  return {
    ranker: describeRanker(ranker, groups),
    index: index?.facts,
    ...(worths.size > 0 && { sourceWorths: listWorths(worths, scenario) }),
    splitRankers: describeSplitRanker(ranker, split),
    alsChoice,
  };
}

/** Figures of the last split, and what each split chose. */
function summariseTrainings(
  trainings: readonly TrainingFacts[],
): Pick<EvaluationResult, 'ranker' | 'index' | 'sourceWorths' | 'alsChoices'> {
  const { splitRankers: _, alsChoice: __, ...latest } = trainings.at(-1)!;
  const alsChoices = trainings.flatMap(({ alsChoice }) => alsChoice ?? []);
  const bySplit = trainings.flatMap(({ splitRankers }) => splitRankers);
  return {
    ...latest,
    ranker: { ...latest.ranker, bySplit },
    ...(alsChoices.length > 0 && { alsChoices }),
  };
}

/** A source that learned from what it would be asked says nothing by answering well. */
function refuseLeak(split: EvaluationSplit, { encoder, scenario, protocol }: EvaluationOptions): void {
  if (encoder === undefined || !(ENCODER in scenario.sources) || !mayKnow(encoder, split)) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The imported encoder was trained until ${encoder.config.trainedUntil}, and protocol ${protocol} (${split.label}) tests on ` +
      `what users did from ${new Date(1000 * split.testedFrom).toISOString()} on: to judge it, train it on what came before, ` +
      'import that and run `shortlist train` again.',
  );
}

/** What two stages answer to the queries of a split when the ranker has never seen a group of features. */
async function answerWithout(
  group: NamedFeatures,
  split: EvaluationSplit,
  options: EvaluationOptions & TrainingOptions & { trained: TrainedBundle; dataset: PreparedDataset },
): Promise<Int32Array[]> {
  const { trained, dataset, scenario } = options;
  const ranker = trained.ranker as TrainedRanker;
  // The rows of the split are at hand: its training has made them.
  const { queries: labelled } = await labelTrainingQueries(split, dataset, {
    ...options,
    config: trained.config,
  });
  const ablated = await ablateRanker(ranker, group, { ...options, labelled });
  const contender: Contender = { name: `without ${group.name}`, kind: 'two-stage', scenario };
  const [slates] = await withTrainedEngine(
    { ...trained, ranker: ablated },
    { ...options, scenarios: listScenarios([contender], options) },
    (engine) =>
      answerSplit(split, engine, { ...options, contenders: [contender], tally: undefined, sources: [] }),
  );
  return slates!;
}

function listScenarios(
  contenders: readonly Contender[],
  { coldStart, placements = [] }: Pick<EvaluationOptions, 'coldStart' | 'placements'>,
): ScenarioConfig[] {
  return [...contenders.map(({ scenario }) => scenario), ...placements, ...(coldStart ? [coldStart] : [])];
}

function replay(
  split: EvaluationSplit,
  engine: Engine,
  { replay, config, scenario, progress }: EvaluationOptions,
): Promise<ReplayedSplit> {
  return replaySplit(split, engine, {
    limits: replay!,
    seed: config.seed,
    k: config.evaluation.k,
    scenario: scenario.name,
    progress,
  });
}

function makeJudgingSplits(
  { interactions }: PreparedDataset,
  { splits, protocol, config }: EvaluationOptions,
): Iterable<EvaluationSplit> {
  if (splits !== undefined) return splits;
  if (protocol === 'frozen') throw new TypeError('a frozen protocol without its split');
  return makeTestSplits(interactions, protocol, config);
}

/** Of a split that was drawn nothing says what came after what, and of one row after the cut nothing comes after it. */
function refuseUnordered({ replay, protocol }: EvaluationOptions, times: TimeFacts): void {
  if (replay === undefined) return;
  const why =
    protocol === 'rolling' || protocol === 'chronological'
      ? whyUnordered(times)
      : `${protocol} has no rows one after the other behind a cut in time`;
  if (why === undefined) return;
  throw new ShortlistError(
    'INVALID_CONFIG',
    `A replay walks through what came after the cut, and ${why}: leave out --replay, or take ` +
      '`--protocol rolling` or `--protocol chronological` on data with times.',
  );
}

function describeDataset({
  name,
  users,
  catalogue,
  interactions,
  counting,
}: PreparedDataset): EvaluationResult['dataset'] {
  return {
    name,
    users: users.entities.size,
    items: catalogue.entities.size,
    interactions: interactions.user.length,
    times: interactions.times,
    ...(counting?.target && { target: describeTarget(counting.target) }),
  };
}

/** Adds up the seconds of steps that come again with every split. */
function createTimings(): {
  measure<T>(step: string, work: () => Promise<T>): Promise<T>;
  list(): Timing[];
} {
  const totals = new Map<string, number>();
  return {
    measure: async (step, work) => {
      const started = performance.now();
      const result = await work();
      totals.set(step, (totals.get(step) ?? 0) + (performance.now() - started) / 1000);
      return result;
    },
    list: () => [...totals].map(([step, seconds]) => ({ step, seconds })),
  };
}
