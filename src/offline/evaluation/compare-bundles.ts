import { openBundleFiles, type BundleFiles } from '../../bundle/bundle-files.js';
import { findEvaluationSummary, type EvaluationSummary } from '../../bundle/evaluation-summary.js';
import { type Difference, listDifferences } from '../../bundle/list-differences.js';
import type { Manifest } from '../../bundle/manifest.js';
import { ShortlistError } from '../../domain/errors.js';
import { estimateMean } from '../protocol/mean-estimate.js';
import { pairedBootstrap, randomisationTest, type PairedDifference } from '../protocol/paired-bootstrap.js';
import { decodeQueryFigures, QUERIES_FILE, type QueryFigures } from './query-figures.js';

/** The differences between the evaluations of two bundles on the same queries. */
export interface BundleComparison {
  readonly versions: readonly [string, string];
  readonly dataset: string;
  readonly protocol: string;
  readonly k: number;
  readonly queries: number;
  readonly users: number;
  /** What both evaluated, the served scenario last. */
  readonly rankings: readonly RankingComparison[];
  /** Settings of training that are not the same: name, here, there. */
  readonly settings: readonly Difference[];
}

/** nDCG of one ranking in both; the difference is that of the second over the first. */
export interface RankingComparison extends PairedDifference {
  readonly name: string;
  readonly means: readonly [number, number];
  /** Of the randomisation test, two-sided. */
  readonly pValue: number;
}

interface Evaluated {
  readonly manifest: Manifest;
  readonly summary: EvaluationSummary;
  readonly queries: QueryFigures;
}

/**
 * Compares what two bundles were evaluated to be worth, query by query. Each evaluation trained its bundle's recipe anew
 * on what came before its test data, so neither has seen what it was asked; for that reason the two must have been asked
 * the same, of the same data.
 *
 * @throws ShortlistError BUNDLE_NOT_FOUND, INVALID_BUNDLE, and NOT_COMPARABLE naming all that is not the same
 */
export async function compareBundles(
  first: string,
  second: string,
  options: { seed: number },
): Promise<BundleComparison> {
  const opened = [await openBundleFiles(first), await openBundleFiles(second)] as const;
  refuseUnevaluated(opened);
  const [a, b] = [await readEvaluation(opened[0]), await readEvaluation(opened[1])];
  refuseDifferent(a, b);
  return {
    versions: [a.manifest.version, b.manifest.version],
    dataset: a.manifest.dataset.name,
    protocol: a.summary.protocol,
    k: a.summary.k,
    queries: a.queries.user.length,
    users: new Set(a.queries.user).size,
    rankings: compareRankings(a, b, options),
    settings: findDifferentSettings(a.manifest, b.manifest),
  };
}

function refuseUnevaluated(bundles: readonly BundleFiles[]): void {
  const problems = bundles
    .filter(
      ({ manifest }) =>
        findEvaluationSummary(manifest) === undefined || !Object.hasOwn(manifest.files, QUERIES_FILE),
    )
    .map(({ folder }) => `${folder} was not evaluated: run \`shortlist evaluate\``);
  if (problems.length > 0) throw notComparable(problems);
}

async function readEvaluation(bundle: BundleFiles): Promise<Evaluated> {
  const { manifest, bytesOf } = bundle;
  const queries = await decodeQueryFigures(bytesOf(QUERIES_FILE), `${bundle.folder}/${QUERIES_FILE}`);
  return { manifest, summary: findEvaluationSummary(manifest)!, queries };
}

function refuseDifferent(a: Evaluated, b: Evaluated): void {
  const facts = [
    ['dataset', a.manifest.dataset.name, b.manifest.dataset.name],
    ['data', a.manifest.dataset.fingerprint, b.manifest.dataset.fingerprint],
    ['protocol', a.summary.protocol, b.summary.protocol],
    ['list length', a.summary.k, b.summary.k],
  ] as const;
  const problems = facts
    .filter(([, ours, theirs]) => ours !== theirs)
    .map(([what, ours, theirs]) => `${what}: ${ours} and ${theirs}`);
  if (problems.length === 0 && a.queries.fingerprint !== b.queries.fingerprint) {
    const counts = `${a.queries.user.length} and ${b.queries.user.length}`;
    problems.push(`queries: ${counts}, not the same; were train share, horizon, seed or split file others?`);
  }
  if (problems.length > 0) throw notComparable(problems);
}

function compareRankings(a: Evaluated, b: Evaluated, { seed }: { seed: number }): RankingComparison[] {
  const names = Object.keys(a.queries.ndcg).filter((name) => Object.hasOwn(b.queries.ndcg, name));
  const { user: users } = a.queries;
  return names.map((name) => {
    const [ours, theirs] = [a.queries.ndcg[name]!, b.queries.ndcg[name]!];
    return {
      name,
      means: [estimateMean(ours).mean, estimateMean(theirs).mean],
      ...pairedBootstrap(theirs, ours, { seed, users }),
      pValue: randomisationTest(theirs, ours, { seed, users }),
    };
  });
}

/** What made each bundle what it is. */
function findDifferentSettings(a: Manifest, b: Manifest): readonly Difference[] {
  return listDifferences(describeSettings(a), describeSettings(b));
}

function describeSettings({ codeVersion, gitCommit, training }: Manifest): object {
  return { code: [codeVersion, gitCommit].join(' ').trim(), ...(training.config as object | undefined) };
}

function notComparable(problems: readonly string[]): ShortlistError {
  return new ShortlistError(
    'NOT_COMPARABLE',
    'Two bundles are compared by evaluations that asked the same queries of the same data. Evaluate both on one prepared dataset under one protocol:',
    { problems },
  );
}
