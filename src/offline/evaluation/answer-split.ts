import type { CandidateSet } from '../../domain/candidate.js';
import { toGivenContext } from '../../domain/context.js';
import type { Engine } from '../../pipeline/engine.js';
import { recommend } from '../../pipeline/recommend.js';
import type { ProgressReporter } from '../progress/progress.js';
import type { CandidateTally } from '../protocol/candidate-recall.js';
import type { EvaluationSplit } from '../protocol/splits.js';
import type { WritingOptions } from '../training/bundle/draft-manifest.js';
import type { Contender } from './list-contenders.js';

/** The rankings that answer a split, and the counts that are kept. */
export interface AnsweringOptions extends Pick<WritingOptions, 'config'> {
  readonly contenders: readonly Contender[];
  /** Counts what the two-stage contender has as candidates. */
  readonly tally: CandidateTally | undefined;
  /** The sources that the tally tells apart. */
  readonly sources: readonly string[];
  readonly progress: ProgressReporter;
}

/**
 * Has the serving pipeline answer every query of a split.
 * @param engine of the bundle that was trained on its train part
 * @returns by contender, the item indexes of the slate of each query, best first
 */
export async function answerSplit(
  split: EvaluationSplit,
  engine: Engine,
  options: AnsweringOptions,
): Promise<Int32Array[][]> {
  const { contenders, progress } = options;
  const step = progress.start(`answers ${split.label}`, split.queries.length * contenders.length);
  const answers: Int32Array[][] = [];
  for (const contender of contenders) {
    answers.push(
      await answerQueries(split, engine, { ...options, contender, advance: () => step.advance() }),
    );
  }
  step.finish();
  return answers;
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
