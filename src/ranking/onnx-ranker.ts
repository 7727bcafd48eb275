import { InferenceSession, Tensor } from 'onnxruntime-node';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Ranker } from './ranker.js';

/** What the manifest says of the model. */
export interface OnnxRankerOptions {
  /** Width of the feature matrix. */
  readonly columns: number;
  /** Default `features`. */
  readonly inputName?: string;
  /** Default `scores`. */
  readonly outputName?: string;
  /** Name of the ranker. Default `onnx`. */
  readonly name?: string;
}

type CompleteOptions = Required<OnnxRankerOptions>;

// By itself ONNX Runtime (1.29 and newer) reports its use to Microsoft: it calls out, keeps an id and a database in the home
// folder, and logs to /tmp. It reads this variable when the first session is made; whoever sets it decides.
// oxlint-disable-next-line no-restricted-properties -- it is read by the library, not by us
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

/** Rows of the batches of zeros that a model must answer before it serves: one row, and a usual candidate list. */
const GOLDEN_BATCH_ROWS = [1, 200];

const SESSION_OPTIONS: InferenceSession.SessionOptions = {
  intraOpNumThreads: 1, // two were slower than one when every core has its own process
  interOpNumThreads: 1,
  logSeverityLevel: 4, // what fails is thrown; the library's own lines on stderr would say it twice
};

/**
 * Opens an ONNX model as a ranker: one input float32 [N, columns] with dynamic N, one output float32 [N] or [N, 1]. It is
 * tried on batches of zeros before it is handed out. A call blocks its thread while ONNX Runtime computes.
 * @throws ShortlistError INVALID_BUNDLE when the bytes are no model, naming everything in its form that does not fit, or
 * when it cannot score the zeros. What the ranker throws is said at `Ranker`; a matrix of another width is a RangeError.
 */
export async function openOnnxRanker(model: Uint8Array, options: OnnxRankerOptions): Promise<Ranker> {
  const complete = { inputName: 'features', outputName: 'scores', name: 'onnx', ...options };
  const session = await createSession(model, complete);
  const ranker = createRanker(session, complete);
  try {
    refuseMisfit(session, complete);
    await warm(ranker, complete);
  } catch (error) {
    await ranker.close();
    throw error;
  }
  return ranker;
}

async function createSession(model: Uint8Array, { name }: CompleteOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(model, SESSION_OPTIONS);
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_BUNDLE',
      `The model of ranker '${name}' (${model.length} bytes) cannot be read as ONNX: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function createRanker(session: InferenceSession, options: CompleteOptions): Ranker {
  let closed = false;
  return {
    name: options.name,
    rank: async (matrix) => {
      refuseOtherWidth(matrix, options);
      if (closed) throw new ShortlistError('RANKER_FAILED', `The ranker '${options.name}' is closed.`);
      if (matrix.rows === 0) return new Float32Array(0);
      return readScores(await run(session, matrix, options), matrix.rows, options);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await session.release();
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

/** The output is allocated anew by every run: a failed run leaves no scores behind that could be taken for its own. */
async function run(
  session: InferenceSession,
  { data, rows, columns }: FeatureMatrix,
  { inputName, outputName, name }: CompleteOptions,
): Promise<Tensor> {
  try {
    const results = await session.run({ [inputName]: new Tensor('float32', data, [rows, columns]) });
    return results[outputName]!;
  } catch (cause) {
    throw new ShortlistError('RANKER_FAILED', `The ranker '${name}' failed: ${messageOf(cause)}`, { cause });
  }
}

function readScores(output: Tensor, rows: number, { name }: CompleteOptions): Float32Array {
  const scores = output.data as Float32Array;
  if (scores.length !== rows) {
    throw new ShortlistError(
      'RANKER_INVALID_OUTPUT',
      `The ranker '${name}' gave scores of shape [${output.dims.join(', ')}] for ${rows} rows.`,
    );
  }
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
  const problems = [
    ...listInputProblems(session.inputMetadata, options),
    ...listOutputProblems(session.outputMetadata, options),
  ];
  if (problems.length === 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The model of ranker '${options.name}' does not have the form that the manifest gives.`,
    { problems },
  );
}

type Values = readonly InferenceSession.ValueMetadata[];

function listInputProblems(inputs: Values, { inputName, columns }: CompleteOptions): string[] {
  const wanted = `float32 [N, ${columns}]`;
  const input = inputs.find(({ name }) => name === inputName);
  return [
    ...listNameProblems('input', inputs, inputName),
    ...(input === undefined || fits(input, [columns])
      ? []
      : [`input ${describe(input)} should be ${wanted}`]),
  ];
}

function listOutputProblems(outputs: Values, { outputName }: CompleteOptions): string[] {
  const output = outputs.find(({ name }) => name === outputName);
  const isOneScorePerRow = output === undefined || fits(output, []) || fits(output, [1]);
  return [
    ...listNameProblems('output', outputs, outputName),
    ...(isOneScorePerRow
      ? []
      : [`output ${describe(output)} should be float32 [N] or [N, 1]: one score per row`]),
  ];
}

function listNameProblems(kind: 'input' | 'output', values: Values, wanted: string): string[] {
  const names = values.map(({ name }) => `'${name}'`).join(', ');
  return [
    ...(values.length === 1 ? [] : [`it has ${values.length} ${kind}s (${names}), not one`]),
    ...(values.some(({ name }) => name === wanted) ? [] : [`no ${kind} is named '${wanted}', only ${names}`]),
  ];
}

/** True for a float32 tensor [N, ...widths] whose N is dynamic; a dynamic width is left to the golden batch. */
function fits(value: InferenceSession.ValueMetadata, widths: readonly number[]): boolean {
  if (!value.isTensor || value.type !== 'float32' || value.shape.length !== widths.length + 1) return false;
  const [rows, ...rest] = value.shape;
  return (
    typeof rows === 'string' && rest.every((size, axis) => typeof size === 'string' || size === widths[axis])
  );
}

function describe(value: InferenceSession.ValueMetadata): string {
  return value.isTensor
    ? `'${value.name}' is ${value.type} [${value.shape.join(', ')}],`
    : `'${value.name}' is no tensor,`;
}

async function warm(ranker: Ranker, { name, columns }: CompleteOptions): Promise<void> {
  for (const rows of GOLDEN_BATCH_ROWS) {
    try {
      await ranker.rank({ data: new Float32Array(rows * columns), rows, columns });
    } catch (cause) {
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `The model of ranker '${name}' cannot score ${rows} rows of zeros: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
}

function messageOf(cause: unknown): string {
  return String(cause).replace(/^\w*Error: /, '');
}
