import { type Static, Type } from 'typebox';
import { findEvaluationSummary, type EvaluationSummary } from './evaluation-summary.js';
import type { Manifest } from './manifest.js';

const share = (description: string): Type.TNumber => Type.Number({ minimum: 0, maximum: 1, description });

/** `configs/gates.yaml`: what a bundle must have shown before production may serve it. A gate that is left out is not asked. */
export const Gates = Type.Object(
  {
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
      share('Largest drop of nDCG@k against the bundle in production, as a share of that one’s.'),
    ),
  },
  { additionalProperties: false },
);

export type Gates = Static<typeof Gates>;

/** How a bundle fared at one gate. */
export interface GateCheck {
  readonly gate: keyof Gates;
  readonly passed: boolean;
  /** null where there was nothing to measure. */
  readonly value: number | null;
  readonly threshold: number;
  /** What a person must know beside the two numbers. */
  readonly note?: string;
}

/**
 * Holds a bundle to the gates.
 * @param production the bundle that production serves, where there is one
 * @returns a check per gate that is set, in the order of the schema
 */
export function checkGates(candidate: Manifest, production: Manifest | undefined, gates: Gates): GateCheck[] {
  const found = findEvaluationSummary(candidate);
  const {
    minimumNdcg,
    liftIntervalAboveZero,
    minimumLift,
    minimumCoverage,
    minimumIndexRecall,
    maximumDrop,
  } = gates;
  const checks: GateCheck[] = [];
  if (minimumNdcg !== undefined) checks.push(atLeast('minimumNdcg', minimumNdcg, found && ndcgOf(found)));
  if (liftIntervalAboveZero === true) checks.push(checkInterval(found));
  if (minimumLift !== undefined) checks.push(checkLift(minimumLift, found));
  if (minimumCoverage !== undefined)
    checks.push(atLeast('minimumCoverage', minimumCoverage, found && found.coverage[found.twoStage]));
  if (minimumIndexRecall !== undefined) checks.push(checkIndexRecall(minimumIndexRecall, candidate));
  if (maximumDrop !== undefined) checks.push(checkDrop(maximumDrop, { candidate, production }));
  return checks;
}

/** One line per check: what was found, what was asked. */
export function describeCheck({ gate, passed, value, threshold, note }: GateCheck): string {
  const found = value === null ? '' : ` ${Number(value.toFixed(4))},`;
  const asked = `${LIMITS[gate]} ${threshold}`;
  return `${gate}:${found} ${passed ? '' : 'not '}${asked}${note === undefined ? '' : ` (${note})`}`;
}

/** What a value must be to pass, before the threshold. */
const LIMITS: Readonly<Record<keyof Gates, string>> = {
  minimumNdcg: 'at least',
  liftIntervalAboveZero: 'above',
  minimumLift: 'at least',
  minimumCoverage: 'at least',
  minimumIndexRecall: 'at least',
  maximumDrop: 'at most',
};

const NOT_EVALUATED = 'it was not evaluated: run `shortlist evaluate`, then `shortlist publish`';

function atLeast(gate: keyof Gates, threshold: number, value: number | undefined): GateCheck {
  if (value === undefined) return { gate, passed: false, value: null, threshold, note: NOT_EVALUATED };
  return { gate, passed: value >= threshold, value, threshold };
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
  { candidate, production }: { candidate: Manifest; production: Manifest | undefined },
): GateCheck {
  const gate = 'maximumDrop';
  const found = findEvaluationSummary(candidate);
  if (found === undefined) return { gate, passed: false, value: null, threshold, note: NOT_EVALUATED };
  const before = production && findEvaluationSummary(production);
  const reason = findIncomparable({ candidate, found }, { production, before });
  if (reason !== undefined)
    return { gate, passed: true, value: null, threshold, note: `not compared: ${reason}` };
  const drop = ndcgOf(before!) === 0 ? 0 : 1 - ndcgOf(found) / ndcgOf(before!);
  const check = { gate, passed: drop <= threshold, value: drop, threshold } as const;
  const sameQueries = before!.queries.fingerprint === found.queries.fingerprint;
  return sameQueries ? check : { ...check, note: 'on other queries than production was evaluated on' };
}

/** Why the figures of two bundles say nothing of each other; undefined when they do. Newer data of a dataset are no reason. */
function findIncomparable(
  { candidate, found }: { candidate: Manifest; found: EvaluationSummary },
  { production, before }: { production: Manifest | undefined; before: EvaluationSummary | undefined },
): string | undefined {
  if (production === undefined) return 'production serves nothing';
  if (before === undefined) return 'the bundle in production was not evaluated';
  const differences = [
    ['dataset', candidate.dataset.name, production.dataset.name],
    ['protocol', found.protocol, before.protocol],
    ['list length', found.k, before.k],
  ].filter(([, ours, theirs]) => ours !== theirs);
  if (differences.length === 0) return undefined;
  return differences.map(([what, ours, theirs]) => `${what} ${ours}, in production ${theirs}`).join('; ');
}

function ndcgOf({ ndcg, twoStage }: EvaluationSummary): number {
  return ndcg[twoStage]!;
}
