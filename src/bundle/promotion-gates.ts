import { type Static, Type } from 'typebox';
import { findSmallestShare, listLost, sumBytes } from './gate-measures.js';
import { findEvaluationSummary, type EvaluationSummary } from './evaluation-summary.js';
import type { Manifest } from './manifest.js';
import { isQuickTraining } from './quick-training.js';

const share = (description: string): Type.TNumber => Type.Number({ minimum: 0, maximum: 1, description });

/**
 * `configs/gates.yaml`: the thresholds that a bundle must pass before a channel is promoted to it. A gate
 * that is left out is not asked.
 */
export const Gates = Type.Object(
  {
    fullTraining: Type.Optional(
      Type.Boolean({ description: 'It was trained in full, not with `--profile quick`.' }),
    ),
    minimumNdcg: Type.Optional(share('Least nDCG@k of two-stage.')),
    liftIntervalAboveZero: Type.Optional(
      Type.Boolean({
        description: 'The whole 95 % interval of the lead over the best single source is above 0.',
      }),
    ),
    minimumLift: Type.Optional(
      Type.Number({ description: 'Least lift over the best single source; 0.05 is 5 % better.' }),
    ),
    minimumCoverage: Type.Optional(share('Least share of the catalogue that two-stage showed to anybody.')),
    minimumIndexRecall: Type.Optional(
      share(
        'Least share of what an exact search finds that the bundle’s index of items finds, where it has one.',
      ),
    ),
    maximumDrop: Type.Optional(
      share('Largest drop of nDCG@k against the current bundle, as a share of that one’s.'),
    ),
    schemaCompatible: Type.Optional(
      Type.Boolean({
        description:
          'It has every source, filterable or shown attribute, context field and view of the current bundle.',
      }),
    ),
    maximumMegabytes: Type.Optional(
      Type.Number({ exclusiveMinimum: 0, description: 'Megabytes of its files together, at most.' }),
    ),
    minimumSizeShare: Type.Optional(
      share('Least share of the items, users, interactions and bytes that the current bundle has.'),
    ),
    maximumLatencyRatio: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'Median time of a recommendation over that of the current bundle, at most.',
      }),
    ),
    maximumP99Ms: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          '99th percentile of the time of a recommendation in milliseconds, on the machine that promotes, at most.',
      }),
    ),
    maximumDegradedShare: Type.Optional(
      share('Largest share of answers of which a stage falls back, as over a ranker that gives no numbers.'),
    ),
  },
  { additionalProperties: false },
);

/** Thresholds by gate, typed as their schema says. */
export type Gates = Static<typeof Gates>;

/** Latency and degraded answers of a bundle that was tried out. */
export interface TryOutFigures {
  /** Milliseconds that a recommendation took. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Share of the answers of which a stage fell back. */
  readonly degradedShare: number;
}

/** The figures of a try-out: those of the bundle, and those of the current one beside it. */
export interface TryOutResult {
  readonly candidate: TryOutFigures;
  /** Or why there is none to compare with. */
  readonly current: TryOutFigures | string;
}

/** The measurements that gates compare with, beside the manifest of the candidate. */
export interface Measured {
  /** What the channel points at, where it does. */
  readonly current: Manifest | undefined;
  readonly tried: TryOutResult;
}

/** The result of one gate. */
export interface GateCheck {
  /** `opens` is asked of every bundle: that it is whole, and answers. */
  readonly gate: keyof Gates | 'opens';
  readonly passed: boolean;
  /** Failed, and promoted all the same because somebody said so. */
  readonly allowed?: true;
  /** null where there was nothing to measure. */
  readonly value: number | null;
  readonly threshold: number;
  /** What a person must know beside the two numbers. */
  readonly note?: string;
}

/**
 * Holds a bundle to the gates.
 * @returns a check per gate that is set, in the order of the schema
 */
export function checkGates(candidate: Manifest, gates: Gates, measured: Measured): GateCheck[] {
  return [...checkQuality(candidate, gates, measured.current), ...checkFitness(candidate, gates, measured)];
}

/** What evaluation and training measured. */
function checkQuality(candidate: Manifest, gates: Gates, current: Manifest | undefined): GateCheck[] {
  const found = findEvaluationSummary(candidate);
  const {
    fullTraining,
    minimumNdcg,
    liftIntervalAboveZero,
    minimumLift,
    minimumCoverage,
    minimumIndexRecall,
    maximumDrop,
  } = gates;
  const checks: GateCheck[] = [];
  if (fullTraining === true) checks.push(checkFullTraining(candidate));
  if (minimumNdcg !== undefined) checks.push(atLeast('minimumNdcg', minimumNdcg, found && ndcgOf(found)));
  if (liftIntervalAboveZero === true) checks.push(checkInterval(found));
  if (minimumLift !== undefined) checks.push(checkLift(minimumLift, found));
  if (minimumCoverage !== undefined)
    checks.push(atLeast('minimumCoverage', minimumCoverage, found && found.coverage[found.twoStage]));
  if (minimumIndexRecall !== undefined) checks.push(checkIndexRecall(minimumIndexRecall, candidate));
  if (maximumDrop !== undefined) checks.push(checkDrop(maximumDrop, { candidate, current }));
  return checks;
}

/** Whether it fits into the place of the current one. */
function checkFitness(candidate: Manifest, gates: Gates, { current, tried }: Measured): GateCheck[] {
  const {
    schemaCompatible,
    maximumMegabytes,
    minimumSizeShare,
    maximumLatencyRatio,
    maximumP99Ms,
    maximumDegradedShare,
  } = gates;
  const checks: GateCheck[] = [];
  if (schemaCompatible === true) checks.push(checkSchema(candidate, current));
  if (maximumMegabytes !== undefined)
    checks.push(atMost('maximumMegabytes', maximumMegabytes, sumBytes(candidate) / 1e6));
  if (minimumSizeShare !== undefined) checks.push(checkSize(minimumSizeShare, { candidate, current }));
  if (maximumLatencyRatio !== undefined) checks.push(checkRatio(maximumLatencyRatio, tried));
  if (maximumP99Ms !== undefined) checks.push(atMost('maximumP99Ms', maximumP99Ms, tried.candidate.p99Ms));
  if (maximumDegradedShare !== undefined)
    checks.push(atMost('maximumDegradedShare', maximumDegradedShare, tried.candidate.degradedShare));
  return checks;
}

/** One line per check: what was found, what was asked. */
export function describeCheck({ gate, passed, value, threshold, note }: GateCheck): string {
  if (gate === 'opens') return `opens: ${note ?? 'it is whole, and answers'}`;
  const found = value === null ? '' : ` ${Number(value.toFixed(4))},`;
  const asked = `${LIMITS[gate]} ${threshold}`;
  return `${gate}:${found} ${passed ? '' : 'not '}${asked}${note === undefined ? '' : ` (${note})`}`;
}

/** What a value must be to pass, before the threshold. */
const LIMITS: Readonly<Record<keyof Gates, string>> = {
  fullTraining: 'at least',
  minimumNdcg: 'at least',
  liftIntervalAboveZero: 'above',
  minimumLift: 'at least',
  minimumCoverage: 'at least',
  minimumIndexRecall: 'at least',
  maximumDrop: 'at most',
  schemaCompatible: 'at most',
  maximumMegabytes: 'at most',
  minimumSizeShare: 'at least',
  maximumLatencyRatio: 'at most',
  maximumP99Ms: 'at most',
  maximumDegradedShare: 'at most',
};

const NOT_EVALUATED = 'it was not evaluated: run `shortlist evaluate`, then `shortlist publish`';

function atLeast(gate: keyof Gates, threshold: number, value: number | undefined): GateCheck {
  if (value === undefined) return { gate, passed: false, value: null, threshold, note: NOT_EVALUATED };
  return { gate, passed: value >= threshold, value, threshold };
}

function checkFullTraining(candidate: Manifest): GateCheck {
  const check = { gate: 'fullTraining', threshold: 1 } as const;
  if (!isQuickTraining(candidate)) return { ...check, passed: true, value: 1 };
  const note = 'it was trained with --profile quick: run `shortlist train` without it';
  return { ...check, passed: false, value: 0, note };
}

function checkInterval(found: EvaluationSummary | undefined): GateCheck {
  const check = atLeast('liftIntervalAboveZero', 0, found?.difference.low);
  return { ...check, passed: check.value !== null && check.value > 0 };
}

function checkLift(threshold: number, found: EvaluationSummary | undefined): GateCheck {
  if (found?.lift !== null) return atLeast('minimumLift', threshold, found?.lift);
  return {
    gate: 'minimumLift',
    passed: true,
    value: null,
    threshold,
    note: 'no single source found anything',
  };
}

function checkIndexRecall(threshold: number, { sources }: Manifest): GateCheck {
  const gate = 'minimumIndexRecall';
  const index = Object.values(sources).find((source) => source.index !== undefined)?.index;
  if (index === undefined) return { gate, passed: true, value: null, threshold, note: 'its search is exact' };
  const { mean, items, users } = index.recall;
  const note = `${index.kind}, the best ${items} of ${users} users`;
  return { gate, passed: mean >= threshold, value: mean, threshold, note };
}

function checkDrop(
  threshold: number,
  { candidate, current }: { candidate: Manifest; current: Manifest | undefined },
): GateCheck {
  const gate = 'maximumDrop';
  const found = findEvaluationSummary(candidate);
  if (found === undefined) return { gate, passed: false, value: null, threshold, note: NOT_EVALUATED };
  const before = current && findEvaluationSummary(current);
  const reason = findIncomparable({ candidate, found }, { current, before });
  if (reason !== undefined) return notCompared(gate, threshold, reason);
  const drop = ndcgOf(before!) === 0 ? 0 : 1 - ndcgOf(found) / ndcgOf(before!);
  const check = { gate, passed: drop <= threshold, value: drop, threshold } as const;
  const sameQueries = before!.queries.fingerprint === found.queries.fingerprint;
  return sameQueries
    ? check
    : { ...check, note: 'on other queries than the current bundle was evaluated on' };
}

function notCompared(gate: keyof Gates, threshold: number, reason: string): GateCheck {
  return { gate, passed: true, value: null, threshold, note: `not compared: ${reason}` };
}

const NO_CURRENT = 'the channel points at nothing';

/** Why the figures of two bundles say nothing of each other; undefined when they do. Newer data of a dataset are no reason. */
function findIncomparable(
  { candidate, found }: { candidate: Manifest; found: EvaluationSummary },
  { current, before }: { current: Manifest | undefined; before: EvaluationSummary | undefined },
): string | undefined {
  if (current === undefined) return NO_CURRENT;
  if (before === undefined) return 'the current bundle was not evaluated';
  const differences = [
    ['dataset', candidate.dataset.name, current.dataset.name],
    ['protocol', found.protocol, before.protocol],
    ['list length', found.k, before.k],
  ].filter(([, ours, theirs]) => ours !== theirs);
  if (differences.length === 0) return undefined;
  return differences
    .map(([what, ours, theirs]) => `${what} ${ours}, of the current bundle ${theirs}`)
    .join('; ');
}

function ndcgOf({ ndcg, twoStage }: EvaluationSummary): number {
  return ndcg[twoStage]!;
}

function atMost(gate: keyof Gates, threshold: number, value: number): GateCheck {
  return { gate, passed: value <= threshold, value, threshold };
}

function checkSchema(candidate: Manifest, current: Manifest | undefined): GateCheck {
  if (current === undefined) return notCompared('schemaCompatible', 0, NO_CURRENT);
  const lost = listLost(current, candidate);
  const check = atMost('schemaCompatible', 0, lost.length);
  return lost.length === 0 ? check : { ...check, note: `the current bundle has more: ${lost.join(', ')}` };
}

function checkSize(
  threshold: number,
  { candidate, current }: { candidate: Manifest; current: Manifest | undefined },
): GateCheck {
  const gate = 'minimumSizeShare';
  if (current === undefined) return notCompared(gate, threshold, NO_CURRENT);
  const { of, ours, theirs, share } = findSmallestShare(candidate, current);
  const note = `${ours} ${of}, of the current bundle ${theirs}`;
  return { gate, passed: share >= threshold, value: share, threshold, note };
}

function checkRatio(threshold: number, { candidate, current }: TryOutResult): GateCheck {
  const gate = 'maximumLatencyRatio';
  if (typeof current === 'string') return notCompared(gate, threshold, current);
  const note = `median ${candidate.medianMs.toFixed(2)} ms, of the current bundle ${current.medianMs.toFixed(2)} ms`;
  return { ...atMost(gate, threshold, candidate.medianMs / current.medianMs), note };
}
