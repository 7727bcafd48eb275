import { openOnnxSession } from '../../bundle/onnx-session.js';
import { ShortlistError } from '../../domain/errors.js';
import type { FeatureMatrix } from '../../features/feature-matrix.js';
import { createSessionRun } from '../../ranking/model-run.js';
import { findRandomness, findRowDependence } from '../../ranking/row-dependence.js';
import type { Ranker } from '../../ranking/ranker.js';
import type { GoldenBatch } from '../training/training-set/features-file.js';
import type { RankerModel } from './read-ranker-model.js';

/** A golden score may differ by so much of its size plus a tenth: trees add up in float32. */
const TOLERANCE = 1e-4;

/**
 * Lists the faults in how a ranker scores the candidates of real users, one sentence each that begins with
 * the model: scores that change, scores that depend on other rows unless it is declared to look at them
 * together, and one score for all candidates of everybody.
 */
export async function listScoreProblems(
  ranker: Ranker,
  requests: readonly FeatureMatrix[],
  { isTogether }: { isTogether: boolean },
): Promise<string[]> {
  const [first] = requests;
  if (first === undefined) return [];
  const random = await findRandomness(ranker, first);
  if (random !== undefined) return [`it ${random}`];
  const dependent = isTogether ? undefined : await findRowDependence(ranker, stackRequests(requests));
  return [
    ...(dependent === undefined
      ? []
      : [
          `it ${dependent}: rows of several requests share a run, so export it without dynamic quantisation, or import it with ` +
            '--rows together if it looks at the whole list on purpose',
        ]),
    ...((await isConstant(ranker, requests))
      ? [
          `it gives all candidates of a user the same score, for each of ${requests.length} users: name the output that tells ` +
            'them apart (--output), and check for a softmax over one column or a saturated sigmoid',
        ]
      : []),
  ];
}

/** Probabilities of two classes add up to 1 by so much. */
const SUM_ROUNDING = 1e-3;

/**
 * Finds why the two columns of a classifier cannot rank: the second orders rows as the model does only where
 * both are probabilities, for a logit means nothing without the other one.
 */
export async function findClassProblem(
  { onnx, inputName, outputName }: Pick<RankerModel, 'onnx' | 'inputName' | 'outputName'>,
  rows: FeatureMatrix,
): Promise<string | undefined> {
  const session = await openOnnxSession(onnx, { what: 'the ranker' });
  const computing = createSessionRun(session, { inputName, outputName });
  try {
    const { data } = await computing.run(rows);
    const values = data as Float32Array;
    for (let row = 0; row < rows.rows; row++) {
      const [first, second] = [values[2 * row]!, values[2 * row + 1]!];
      const isShare = first >= 0 && second >= 0 && Math.abs(first + second - 1) <= SUM_ROUNDING;
      if (isShare) continue;
      return (
        `its output '${outputName}' has two columns that are no probabilities (row ${row + 1}: ${first} and ${second}): export ` +
        'probabilities (a softmax over the columns), or one score per row'
      );
    }
    return undefined;
  } finally {
    await computing.close();
  }
}

function stackRequests(requests: readonly FeatureMatrix[]): FeatureMatrix {
  const columns = requests[0]!.columns;
  const rows = requests.reduce((sum, request) => sum + request.rows, 0);
  const data = new Float32Array(rows * columns);
  let start = 0;
  for (const request of requests) {
    data.set(request.data, start);
    start += request.data.length;
  }
  return { data, rows, columns };
}

/** Whether no user's candidates are told apart. */
async function isConstant(ranker: Ranker, requests: readonly FeatureMatrix[]): Promise<boolean> {
  const several = requests.filter(({ rows }) => rows > 1);
  for (const request of several) {
    const scores = await ranker.rank(request);
    if (scores.some((score) => score !== scores[0])) return false;
  }
  return several.length > 0;
}

/** The largest difference from the golden scores, relative to them, and what is wrong when it is no rounding. */
export async function compareGolden(
  ranker: Ranker,
  golden: GoldenBatch,
  columns: number,
): Promise<{ difference: number; problem?: string }> {
  const scores = await scoreGolden(ranker, golden, columns);
  const differences = golden.scores.map(
    (score, row) => Math.abs(scores[row]! - score) / (Math.abs(score) + 0.1),
  );
  const difference = Math.max(...differences);
  if (difference <= TOLERANCE) return { difference };
  const worst = differences.indexOf(difference);
  const problem =
    `it gives row ${worst + 1} of its golden batch ${scores[worst]}, not ${golden.scores[worst]}: check the order ` +
    'of the features, that --output names what the golden scores are (raw margins or probabilities), and the conversion';
  return { difference, problem };
}

/** Rows of one query are one run: a ranker that looks at the whole list would score them otherwise among others. */
async function scoreGolden(
  ranker: Ranker,
  { inputs, scores: { length }, queries = Array<number>(length).fill(0) }: GoldenBatch,
  columns: number,
): Promise<Float32Array> {
  const scores = new Float32Array(length);
  for (const query of new Set(queries)) {
    const rows = [...queries.keys()].filter((row) => queries[row] === query);
    const data = Float32Array.from(rows.flatMap((row) => inputs[row]!));
    const given = await ranker.rank({ data, rows: rows.length, columns });
    rows.forEach((row, at) => (scores[row] = given[at]!));
  }
  return scores;
}

/** A ranker that cannot score some rows is a problem among others. */
export function describeFailure(
  rows: string,
): (error: unknown) => { problem: string; difference?: undefined } {
  return (error) => {
    if (error instanceof ShortlistError) return { problem: `it cannot score ${rows}: ${error.message}` };
    throw error;
  };
}
