import type { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  describeValue,
  findValue,
  fitsTensor,
  messageOf,
  openOnnxSession,
  quoteNames,
  type ValueMetadata,
} from '../bundle/onnx-session.js';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import { createSessionRun, type ModelRun } from './model-run.js';
import type { Ranker } from './ranker.js';
import { findRandomness, findRowDependence } from './row-dependence.js';
import { drawUniformRows } from './synthetic-rows.js';
import { openTreeRun } from './tree-run.js';

/** The manifest's description of the model. */
export interface OnnxRankerOptions {
  /** Width of the feature matrix. */
  readonly columns: number;
  /** Default `features`. */
  readonly inputName?: string;
  /** Default `scores`. */
  readonly outputName?: string;
  /** Name of the ranker. Default `onnx`. */
  readonly name?: string;
  /** What one run may hold: rows of several requests (`independent`, the default), or the rows of one request only. */
  readonly rows?: RowsOfRun;
  /** Rows like those that it will be asked for. The default is rows of values from 0 to 1. */
  readonly syntheticRows?: FeatureMatrix | undefined;
}

/** `independent`: a ranker scores each row by itself; `together`: it looks at all rows of one request. */
export type RowsOfRun = 'independent' | 'together';

type CompleteOptions = Required<Omit<OnnxRankerOptions, 'syntheticRows'>>;

/** Rows of the batches that a model must answer before it serves: one row, and a usual candidate list. */
const BATCH_ROWS = [1, 200] as const;

/** Largest difference between the trees of ONNX Runtime and those of the kernel that is rounding, relative above 1. */
const MAX_DIFFERENCE = 1e-6;

/**
 * Opens an ONNX model as a ranker: one input float32 [N, columns] with dynamic N, and an output float32 [N], [N, 1] or, from
 * a classifier, [N, 2], whose second column is the score; other outputs are not computed. It is tried on zeros and on
 * seeded values from 0 to 1 before it is handed out. Trees are then computed by a kernel of ours, if it gives what ONNX Runtime
 * gives for rows of their thresholds. A call blocks its thread while it computes.
 * @throws ShortlistError INVALID_BUNDLE when the bytes are no model, naming everything in its form that does not fit; when
 * it cannot score the synthetic batches; when it gives one row several scores: asked twice, or, unless `rows` is `together`, alone and
 * among other rows. What the ranker throws is said at `Ranker`; a matrix of another width is a RangeError.
 */
export async function openOnnxRanker(model: Uint8Array, options: OnnxRankerOptions): Promise<Ranker> {
  const { syntheticRows, ...given } = options;
  const complete: CompleteOptions = {
    inputName: 'features',
    outputName: 'scores',
    name: 'onnx',
    rows: 'independent',
    ...given,
  };
  const session = await openOnnxSession(model, { what: `ranker '${complete.name}'` });
  const ranker = createRanker(createSessionRun(session, complete), complete);
  try {
    refuseMisfit(session, complete);
    await warm(ranker, complete);
    await refuseOtherScores(ranker, complete, syntheticRows);
    return await preferTrees(ranker, model, complete);
  } catch (error) {
    await ranker.close();
    throw error;
  }
}

/** The same ranker with trees of the kernel, where it has trees and they give the same. */
async function preferTrees(ranker: Ranker, model: Uint8Array, options: CompleteOptions): Promise<Ranker> {
  // ONNX Runtime has the model already: whatever is in the way of the kernel is no fault of it.
  const treeRun = await openTreeRun(model, options).catch(() => undefined);
  if (treeRun === undefined) return ranker;
  const faster = createRanker(treeRun, options);
  const isSame = await scoreAlike(ranker, faster, treeRun.probe);
  await (isSame ? ranker : faster).close();
  return isSame ? faster : ranker;
}

/** Rows that one of them cannot score are rows that they do not score alike. */
async function scoreAlike(one: Ranker, other: Ranker, rows: FeatureMatrix): Promise<boolean> {
  try {
    const [expected, given] = [await one.rank(rows), await other.rank(rows)];
    return expected.every(
      (score, row) => Math.abs(score - given[row]!) <= MAX_DIFFERENCE * Math.max(1, Math.abs(score)),
    );
  } catch {
    return false;
  }
}

function createRanker(computing: ModelRun, options: CompleteOptions): Ranker {
  const { name } = options;
  let closed = false;
  return {
    name,
    rank: async (matrix) => {
      refuseOtherWidth(matrix, options);
      if (closed) throw new ShortlistError('RANKER_FAILED', `The ranker '${name}' is closed.`);
      if (matrix.rows === 0) return new Float32Array(0);
      const output = await computing.run(matrix).catch((cause: unknown) => {
        throw new ShortlistError('RANKER_FAILED', `The ranker '${name}' failed: ${messageOf(cause)}`, {
          cause,
        });
      });
      return readScores(output, matrix.rows, options);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await computing.close();
    },
  };
}

/** Not a ShortlistError: the pipeline must not fall back on our own wiring mistakes. */
function refuseOtherWidth({ data, rows, columns }: FeatureMatrix, options: CompleteOptions): void {
  if (columns === options.columns && data.length === rows * columns) return;
  throw new RangeError(
    `the ranker '${options.name}' takes ${options.columns} columns; got ${data.length} values as ${rows} × ${columns}`,
  );
}

function readScores(output: Tensor, rows: number, { name }: CompleteOptions): Float32Array {
  const values = output.data as Float32Array;
  const { dims } = output;
  const isPerClass = dims.length === 2 && dims[1] === 2 && dims[0] === rows;
  if (values.length !== rows && !isPerClass) {
    throw new ShortlistError(
      'RANKER_INVALID_OUTPUT',
      `The ranker '${name}' gave scores of shape [${dims.join(', ')}] for ${rows} rows.`,
    );
  }
  const scores = isPerClass ? Float32Array.from({ length: rows }, (_, row) => values[2 * row + 1]!) : values;
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) {
    throw new ShortlistError(
      'RANKER_INVALID_OUTPUT',
      `The ranker '${name}' gave the score ${scores[bad]} to row ${bad} of ${rows}.`,
    );
  }
  return scores;
}

function refuseMisfit(session: InferenceSession, options: CompleteOptions): void {
  const { inputMetadata: inputs, outputMetadata: outputs } = session;
  const problems = listFormProblems({ inputs, outputs }, options);
  if (problems.length === 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The model of ranker '${options.name}' does not have the form that the manifest gives.`,
    { problems },
  );
}

/** Everything in the form of a model that does not fit a ranker: one sentence each. */
export function listFormProblems(
  { inputs, outputs }: { inputs: Values; outputs: Values },
  names: FormOptions,
): string[] {
  return [...listInputProblems(inputs, names), ...listOutputProblems(outputs, names)];
}

type FormOptions = Pick<CompleteOptions, 'inputName' | 'outputName' | 'columns'>;

type Values = readonly ValueMetadata[];

function listInputProblems(inputs: Values, { inputName, columns }: FormOptions): string[] {
  const input = findValue('input', inputName, inputs);
  if (typeof input === 'string' || inputs.length !== 1) {
    return [
      ...(inputs.length === 1
        ? []
        : [
            `it has ${inputs.length} inputs (${quoteNames(inputs)}), not one: export it with one [rows × features] input`,
          ]),
      ...(typeof input === 'string' ? [input] : []),
    ];
  }
  if (fits(input, [columns]) && isDynamic(input)) return [];
  return [`input ${describeValue(input)} should be float32 [N, ${columns}]${adviseOnInput(input)}`];
}

function adviseOnInput(input: ValueMetadata): string {
  if (!input.isTensor) return '';
  if (input.type !== 'float32') return ': export it with a float32 input';
  return input.shape.length === 2 && !isDynamic(input)
    ? ': export it with a dynamic first dimension (dynamic_axes or dynamic_shapes in torch.onnx.export)'
    : '';
}

/** True for an output that can be scores by its form: float32 [N], [N, 1] or [N, 2]. */
export function canBeScores(output: ValueMetadata): boolean {
  return fits(output, []) || fits(output, [1]) || fits(output, [2]);
}

function listOutputProblems(outputs: Values, { outputName }: FormOptions): string[] {
  const output = findValue('output', outputName, outputs);
  if (typeof output === 'string') return [output];
  if (canBeScores(output)) return [];
  return [
    `output ${describeValue(output)} should be float32 [N], [N, 1], or [N, 2] of a classifier${adviseOnOutput(output)}`,
  ];
}

function adviseOnOutput(output: ValueMetadata): string {
  if (!output.isTensor) {
    return ": its probabilities are a map per row; convert it with zipmap off (options={'zipmap': False} in skl2onnx and onnxmltools)";
  }
  const { type, shape } = output;
  if (type === 'int64' || type === 'int32' || type === 'string' || type === 'bool') {
    return ': it gives labels, and labels rank nothing; name the output of the probabilities';
  }
  if (type !== 'float32') return ': cast it to float32';
  const classes = shape[1];
  return shape.length === 2 && typeof classes === 'number' && classes > 2
    ? `: train on labels 0 and 1, not on ${classes} classes`
    : '';
}

/** A float32 tensor [N, ...sizes]; the rows of an output are left to the synthetic batches: exporters often say 1. */
function fits(value: ValueMetadata, sizes: readonly number[]): boolean {
  return fitsTensor(value, 'float32', sizes);
}

function isDynamic(value: ValueMetadata): boolean {
  return value.isTensor && typeof value.shape[0] === 'string';
}

async function warm(ranker: Ranker, { name, columns }: CompleteOptions): Promise<void> {
  const batches = {
    zeros: (rows: number) => ({ data: new Float32Array(rows * columns), rows, columns }),
    'values from 0 to 1': (rows: number) => drawUniformRows(rows, columns),
  };
  for (const [what, draw] of Object.entries(batches)) {
    for (const rows of BATCH_ROWS) {
      try {
        await ranker.rank(draw(rows));
      } catch (cause) {
        throw new ShortlistError(
          'INVALID_BUNDLE',
          `The model of ranker '${name}' cannot score ${rows} rows of ${what}: ${messageOf(cause)}`,
          { cause },
        );
      }
    }
  }
}

/** Evaluation asks for one user at a time, serving for several in one run: a row must have the same score in both. */
async function refuseOtherScores(
  ranker: Ranker,
  { name, columns, rows }: CompleteOptions,
  syntheticRows: FeatureMatrix | undefined,
): Promise<void> {
  const uniform = drawUniformRows(BATCH_ROWS[1], columns);
  for (const tried of syntheticRows === undefined ? [uniform] : [syntheticRows, uniform]) {
    const random = await findRandomness(ranker, tried);
    if (random !== undefined) {
      throw new ShortlistError('INVALID_BUNDLE', `The model of ranker '${name}' ${random}.`);
    }
    const dependent = rows === 'together' ? undefined : await findRowDependence(ranker, tried);
    if (dependent !== undefined) {
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `The model of ranker '${name}' ${dependent}. ${ADVICE_ON_ROWS}`,
      );
    }
  }
}

const ADVICE_ON_ROWS =
  'Rows of several requests share a run, so it would answer differently from what was evaluated. Where it quantises dynamically, ' +
  'export it in float32 or with static quantisation; where it looks at the whole list on purpose, import it with `--rows together`.';
