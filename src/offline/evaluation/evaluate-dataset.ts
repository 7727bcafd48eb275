import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ItemIndex } from '../../bundle/manifest.js';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { CandidateSet } from '../../domain/candidate.js';
import { toGivenContext } from '../../domain/context.js';
import { ShortlistError } from '../../domain/errors.js';
import { closeEngine } from '../../engine/close-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { openEngine } from '../../engine/open-engine.js';
import { recommend } from '../../pipeline/recommend.js';
import { ENCODER, mayKnow } from '../training/encoder/imported-encoder.js';
import { createCandidateTally, type CandidateTally } from '../protocol/candidate-recall.js';
import type { EvaluationResult, RankerFigures, RankingKind, Timing } from './evaluation-result.js';
import { toSplitFacts, type EvaluationSplit, type SplitFacts } from '../protocol/splits.js';
import { listItemTraits } from '../protocol/slate-qualities.js';
import { summariseEvaluation } from './summarise-evaluation.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import { gainImportance } from '../training/ranker/tree-ensemble.js';
import { ablateRanker } from '../training/ranker/ablate-ranker.js';
import { listFeatureGroups, type NamedFeatures } from '../training/ranker/feature-groups.js';
import { makeTestSplits } from '../protocol/make-splits.js';
import { createCandidateEngine } from '../training/stage-one/stage-one.js';
import {
  labelTrainingQueries,
  listSkippedSources,
  trainBundle,
  type TrainedBundle,
  type TrainingOptions,
} from '../training/bundle/train-bundle.js';
import type { SearchSummary } from '../training/bundle/search-summary.js';
import type { TrainedRanker } from '../training/ranker/train-ranker.js';
import { writeTrainedBundle, type Provenance } from '../training/bundle/write-trained-bundle.js';

/** Options of `evaluateDataset`. */
export interface EvaluationOptions extends TrainingOptions {
  readonly provenance: Provenance;
  /** The command line that gives the result again. */
  readonly command: string;
  /** The scenario for users with nothing known of them, when `scenario` names one. */
  readonly coldStart?: ScenarioConfig | undefined;
  /** Test splits in place of the protocol's own: a frozen one, say. */
  readonly splits?: Iterable<EvaluationSplit>;
  /** Also trains the ranker without each group of features, and asks every query again. */
  readonly ablation?: boolean | undefined;
  /** The search that `config` comes from. */
  readonly search?: SearchSummary | undefined;
}

/** One line of the evaluation table: a scenario run through the serving pipeline. */
interface Contender {
  readonly name: string;
  readonly kind: RankingKind;
  readonly scenario: ScenarioConfig;
}

/**
 * Evaluates a dataset under a protocol. For each split a bundle is trained on the train part, written, and opened as the
 * server opens it; every held-out user is then answered by the serving pipeline, once per line of the table.
 *
 * @throws ShortlistError INVALID_BUNDLE when an imported encoder may have learned from what is asked for
 */
export async function evaluateDataset(
  dataset: PreparedDataset,
  options: EvaluationOptions,
): Promise<EvaluationResult> {
  const skipped = listSkippedSources(dataset, options);
  const contenders = listContenders(options.scenario, { k: options.config.evaluation.k, skipped });
  const sources = Object.keys(options.scenario.sources).filter((name) => !skipped.has(name));
  const tally = createCandidateTally(sources, { k: options.config.evaluation.k });
  const slates = contenders.map((): Int32Array[][] => []);
  const timings = createTimings();
  const facts: SplitFacts[] = [];
  const labelledCuts: TrainingOptions['labelledCuts'] = new Map();
  const ablations = new Map<string, Int32Array[][]>();
  let ranker: RankerFigures | undefined;
  let index: ItemIndex | undefined;

  for (const split of options.splits ??
    makeTestSplits(dataset.interactions, options.protocol, options.config)) {
    refuseLeak(split, options);
    const trained = await timings.measure('training', () =>
      trainBundle(split, dataset, { ...options, labelledCuts }),
    );
    const answers = await timings.measure('answering', () =>
      answerSplit(split, trained, { dataset, contenders, tally, sources, ...options }),
    );
    answers.forEach((answer, index) => slates[index]!.push(answer));
    facts.push(toSplitFacts(split));
    const groups = findFeatureGroups(trained, dataset, options.scenario);
    ranker = describeRanker(trained.ranker, groups);
    index = trained.index?.facts;
    if (options.ablation !== true) continue;
    await timings.measure('ablation', async () => {
      for (const group of groups) {
        const slates = await answerWithout(group, split, { trained, dataset, labelledCuts, ...options });
        ablations.set(group.name, [...(ablations.get(group.name) ?? []), slates]);
      }
    });
  }

  return summariseEvaluation({
    protocol: options.protocol,
    dataset: describeDataset(dataset),
    k: options.config.evaluation.k,
    splits: facts,
    rankings: contenders.map(({ name, kind }, index) => ({ name, kind, slates: slates[index]! })),
    ablations:
      options.ablation === true ? [...ablations].map(([group, slates]) => ({ group, slates })) : undefined,
    candidates: tally.summarise(),
    skippedSources: [...skipped].map(([name, reason]) => ({ name, reason })),
    ranker: ranker!,
    search: options.search,
    index,
    timings: timings.list(),
    seed: options.config.seed,
    createdAt: options.provenance.createdAt,
    command: options.command,
    traits: listItemTraits(dataset.catalogue),
    userAttributes: dataset.users.attributes,
  });
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

/** Random and popular to beat, each source alone, all of them fused, and the scenario itself. */
function listContenders(
  scenario: ScenarioConfig,
  { k, skipped }: { k: number; skipped: ReadonlyMap<string, string> },
): Contender[] {
  const { coldStart: _, ...warm } = scenario;
  const alone = (source: string): ScenarioConfig => ({
    ...warm,
    name: `only-${source}`,
    sources: { [source]: k },
    maxCandidates: k,
    ranker: 'fusion',
  });
  const baselines = ['random', 'popular'];
  const sources = Object.keys(scenario.sources).filter(
    (source) => !baselines.includes(source) && !skipped.has(source),
  );
  return [
    ...baselines.map((name) => ({ name, kind: 'baseline' as const, scenario: alone(name) })),
    ...sources.map((name) => ({ name, kind: 'source' as const, scenario: alone(name) })),
    { name: 'fusion', kind: 'fusion', scenario: { ...scenario, name: 'fusion', ranker: 'fusion' } },
    { name: 'two-stage', kind: 'two-stage', scenario },
  ];
}

/** What the features of a trained bundle are told apart by; nothing where its ranker was trained elsewhere. */
function findFeatureGroups(
  { stageOne, ranker }: TrainedBundle,
  dataset: PreparedDataset,
  scenario: ScenarioConfig,
) {
  if ('facts' in ranker) return [];
  const { assembler } = createCandidateEngine(stageOne, dataset, scenario);
  return listFeatureGroups(assembler.groups, ranker.featureOrder);
}

/** What two stages answer to the queries of a split when the ranker has never seen a group of features. */
async function answerWithout(
  group: NamedFeatures,
  split: EvaluationSplit,
  options: EvaluationOptions & { trained: TrainedBundle; dataset: PreparedDataset },
): Promise<Int32Array[]> {
  const { trained, dataset, scenario } = options;
  const ranker = trained.ranker as TrainedRanker;
  // The rows of the split are at hand: its training has made them.
  const labelled = await labelTrainingQueries(split, dataset, options);
  const ablated = await ablateRanker(ranker, group, { ...options, labelled });
  const contender: Contender = { name: `without ${group.name}`, kind: 'two-stage', scenario };
  const [slates] = await answerSplit(
    split,
    { ...trained, ranker: ablated },
    { ...options, contenders: [contender], tally: undefined, sources: [] },
  );
  return slates!;
}

async function answerSplit(
  split: EvaluationSplit,
  trained: TrainedBundle,
  options: EvaluationOptions & {
    dataset: PreparedDataset;
    contenders: readonly Contender[];
    tally: CandidateTally | undefined;
    sources: readonly string[];
  },
): Promise<Int32Array[][]> {
  const { contenders, coldStart } = options;
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-evaluation-'));
  try {
    await writeTrainedBundle(join(folder, 'bundle'), trained, options);
    const scenarios = [...contenders.map(({ scenario }) => scenario), ...(coldStart ? [coldStart] : [])];
    const engine = await openEngine(
      join(folder, 'bundle'),
      new Map(scenarios.map((scenario) => [scenario.name, scenario])),
    );
    const step = options.progress.start(`answers ${split.label}`, split.queries.length * contenders.length);
    const answers: Int32Array[][] = [];
    for (const contender of contenders) {
      answers.push(
        await answerQueries(split, engine, { ...options, contender, advance: () => step.advance() }),
      );
    }
    step.finish();
    await closeEngine(engine);
    return answers;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function answerQueries(
  split: EvaluationSplit,
  engine: Engine,
  options: EvaluationOptions & {
    contender: Contender;
    tally: CandidateTally | undefined;
    /** The sources that the tally tells apart. */
    sources: readonly string[];
    advance: () => void;
  },
): Promise<Int32Array[]> {
  const { contender, tally, sources } = options;
  const slates: Int32Array[] = [];
  for (const query of split.queries) {
    const { slate, candidates } = await recommend(
      {
        subject: { userId: engine.users.idAt(query.user) },
        scenario: contender.scenario.name,
        limit: options.config.evaluation.k,
        exclude: [],
        filters: [],
        explain: 'none',
        context: query.context && toGivenContext(engine.manifest.context!, query.context),
      },
      engine,
    );
    slates.push(Int32Array.from(slate.items, ({ itemId }) => engine.catalogue.entities.find(itemId)));
    if (contender.kind === 'two-stage') {
      tally?.add(query, { items: candidates.items, ranks: alignRanks(candidates, sources) });
    }
    options.advance();
  }
  return slates;
}

/** Ranks by the sources of the scenario, whichever of them were asked for this user. */
function alignRanks({ items, ranks, retrievals }: CandidateSet, sources: readonly string[]): Int32Array {
  const columns = sources.map((source) => retrievals.findIndex((retrieval) => retrieval.source === source));
  return Int32Array.from({ length: items.length * sources.length }, (_, index) => {
    const column = columns[index % sources.length]!;
    return column < 0 ? 0 : ranks[Math.floor(index / sources.length) * retrievals.length + column]!;
  });
}

function describeDataset({
  name,
  users,
  catalogue,
  interactions,
}: PreparedDataset): EvaluationResult['dataset'] {
  return {
    name,
    users: users.entities.size,
    items: catalogue.entities.size,
    interactions: interactions.user.length,
  };
}

function describeRanker(ranker: TrainedBundle['ranker'], groups: readonly NamedFeatures[]): RankerFigures {
  if ('facts' in ranker) {
    return {
      objective: 'imported',
      trees: 0,
      validationMetric: 'nDCG@10',
      validationCurve: [],
      featureImportance: [],
      featureGroups: [],
    };
  }
  const { ensemble, featureOrder } = ranker;
  const gains = gainImportance(ensemble);
  return {
    objective: ensemble.objective,
    trees: ensemble.trees.length,
    validationMetric: 'nDCG@10',
    validationCurve: [...ensemble.validationCurve],
    featureImportance: featureOrder.map((feature, column) => ({ feature, gain: gains[column]! })),
    featureGroups: groups.map(({ name, features }) => ({
      group: name,
      features: features.length,
      gain: features.reduce((sum, feature) => sum + gains[featureOrder.indexOf(feature)]!, 0),
    })),
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
