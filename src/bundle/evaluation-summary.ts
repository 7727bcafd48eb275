import { type Static, Type } from 'typebox';
import type { Manifest } from './manifest.js';
import { findSchemaProblems } from './schema-problems.js';

const score = Type.Number({ minimum: 0, maximum: 1 });

/** The figures that a person, or a gate, compares versions by: what `evaluate` writes as `metrics` of a manifest. */
export const EvaluationSummary = Type.Object({
  /** `rolling`, `chronological` or `random`. */
  protocol: Type.String(),
  /** Length of the judged lists. */
  k: Type.Integer({ minimum: 1 }),
  /** What was asked, and the hash that says two evaluations asked the same. */
  queries: Type.Object({ count: Type.Integer({ minimum: 1 }), fingerprint: Type.String() }),
  /** nDCG@k and catalogue coverage by ranking. */
  ndcg: Type.Record(Type.String(), score),
  coverage: Type.Record(Type.String(), score),
  twoStage: Type.String(),
  bestSingle: Type.String(),
  /** Of two-stage over the best single source: 0.05 is 5 % better; null where that one scores 0. */
  lift: Type.Union([Type.Number(), Type.Null()]),
  /** The difference in nDCG@k that the lift stands for, and its 95 % interval. */
  difference: Type.Object({ mean: Type.Number(), low: Type.Number(), high: Type.Number() }),
  /** Share of the relevant items among the candidates. */
  candidateRecall: score,
});

/** The figures of an evaluation, typed as its schema says. */
export type EvaluationSummary = Static<typeof EvaluationSummary>;

/** The evaluation that a bundle carries; undefined where it was not evaluated, or by a release that wrote less. */
export function findEvaluationSummary({ metrics }: Pick<Manifest, 'metrics'>): EvaluationSummary | undefined {
  return findSchemaProblems(EvaluationSummary, metrics).length === 0
    ? (metrics as EvaluationSummary)
    : undefined;
}
