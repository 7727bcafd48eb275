import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { CandidateSet } from '../../domain/candidate.js';
import { toGivenContext } from '../../domain/context.js';
import { closeEngine } from '../../engine/close-engine.js';
import { openEngine } from '../../engine/open-engine.js';
import type { Engine } from '../../pipeline/engine.js';
import { recommend } from '../../pipeline/recommend.js';
import type { ProgressReporter } from '../progress/progress.js';
import type { CandidateTally } from '../protocol/candidate-recall.js';
import type { EvaluationSplit } from '../protocol/splits.js';
import type { TrainedBundle } from '../training/bundle/train-bundle.js';
import type { WritingOptions } from '../training/bundle/draft-manifest.js';
import { writeTrainedBundle } from '../training/bundle/write-trained-bundle.js';
import type { Contender } from './list-contenders.js';

/** Who answers, and who is told. */
export interface AnsweringOptions extends WritingOptions {
  readonly contenders: readonly Contender[];
  /** The scenario for users with nothing known of them, when a contender's names one. */
  readonly coldStart?: ScenarioConfig | undefined;
  /** Counts what the two-stage contender has as candidates. */
  readonly tally: CandidateTally | undefined;
  /** The sources that the tally tells apart. */
  readonly sources: readonly string[];
  readonly progress: ProgressReporter;
}

/**
 * Writes a trained bundle, opens it as the server does, and has the serving pipeline answer every query of a split.
 * @returns by contender, the item indexes of the slate of each query, best first
 */
export async function answerSplit(
  split: EvaluationSplit,
  trained: TrainedBundle,
  options: AnsweringOptions,
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
  options: AnsweringOptions & { contender: Contender; advance: () => void },
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
