import {
  cutOffZipMaps,
  decodeOnnxGraph,
  findOnnxHeader,
  lowerVersions,
  readClasses,
} from '../../bundle/onnx-model.js';
import { ONNX_LIMITS, openOnnxSession, type ValueMetadata } from '../../bundle/onnx-session.js';
import { ShortlistError } from '../../domain/errors.js';
import { canBeScores, listFormProblems } from '../../ranking/onnx-ranker.js';

/** A model that may become a ranker, and what its form is. */
export interface RankerModel {
  /** The file, without the maps that it may end in. */
  readonly onnx: Uint8Array;
  readonly inputName: string;
  readonly outputName: string;
  /** Labels of its classes, by column of its probabilities; none when it is no classifier. */
  readonly classes: readonly string[];
  /** Whether the scores are the second of two columns. */
  readonly isPerClass: boolean;
  /** Operators that were taken off the end. */
  readonly cutOff: readonly string[];
  /** What does not fit, one sentence each. */
  readonly problems: readonly string[];
}

/**
 * Reads an ONNX file as a ranker: takes off a ZipMap at its end, chooses the output that gives the scores, and lists everything in
 * its form that does not fit, the versions of the file included.
 * @param options.output the output that a person named; by default the only one that can be scores
 */
export async function readRankerModel(
  file: Uint8Array,
  options: { name: string; columns: number; output: string | undefined },
): Promise<RankerModel> {
  const isOnnx = findOnnxHeader(file) !== undefined;
  const { model: onnx, zipMaps } = isOnnx ? cutOffZipMaps(file) : { model: file, zipMaps: [] };
  const { inputs, outputs, problems } = await readValues(onnx, options.name);
  const [inputName = 'features'] = inputs.map(({ name }) => name);
  const outputName = chooseOutput(outputs, options.output);
  const form =
    outputs.length === 0
      ? []
      : listFormProblems({ inputs, outputs }, { ...options, inputName, outputName: outputName ?? '' });
  return {
    onnx,
    inputName,
    outputName: outputName ?? outputs[0]?.name ?? 'scores',
    classes: isOnnx ? findClasses(onnx, zipMaps) : [],
    isPerClass: outputs.some((output) => output.name === outputName && hasTwoColumns(output)),
    cutOff: zipMaps.map(({ output }) => `ZipMap of ${output}`),
    problems: [
      ...problems,
      ...form.filter((problem) => outputName !== undefined || !problem.startsWith('no output')),
      ...(outputName === undefined && outputs.length > 0 ? [describeOutputs(outputs)] : []),
    ],
  };
}

interface Values {
  readonly inputs: readonly ValueMetadata[];
  readonly outputs: readonly ValueMetadata[];
  readonly problems: readonly string[];
}

/** The inputs and outputs of a model; of one that is too new they are looked up as if it were not, to tell all problems at once. */
async function readValues(onnx: Uint8Array, name: string): Promise<Values> {
  const what = `ranker '${name}'`;
  try {
    return { ...(await openValues(onnx, what)), problems: [] };
  } catch (error) {
    if (!(error instanceof ShortlistError)) throw error;
    const problems = error.problems.length > 0 ? error.problems : [error.message];
    if (findOnnxHeader(onnx) === undefined) return { inputs: [], outputs: [], problems };
    const lowered = await openValues(lowerVersions(onnx, ONNX_LIMITS), what).catch(() => undefined);
    return { inputs: [], outputs: [], ...lowered, problems };
  }
}

async function openValues(onnx: Uint8Array, what: string): Promise<Omit<Values, 'problems'>> {
  const session = await openOnnxSession(onnx, { what });
  const { inputMetadata: inputs, outputMetadata: outputs } = session;
  await session.release();
  return { inputs, outputs };
}

/** The output that was named, the only one, or the only one that can be scores; undefined when a person must say which. */
function chooseOutput(outputs: readonly ValueMetadata[], named: string | undefined): string | undefined {
  if (named !== undefined) return named;
  if (outputs.length === 1) return outputs[0]!.name;
  const [fitting, ...others] = outputs.filter(canBeScores);
  return others.length === 0 ? fitting?.name : undefined;
}

function hasTwoColumns(output: ValueMetadata): boolean {
  return output.isTensor && output.shape.length === 2 && output.shape[1] === 2;
}

function describeOutputs(outputs: readonly ValueMetadata[]): string {
  const described = outputs.map((output) =>
    output.isTensor ? `${output.name}: ${output.type} [${output.shape.join(', ')}]` : output.name,
  );
  return `it has ${outputs.length} outputs (${described.join('; ')}): say with --output which gives the scores`;
}

function findClasses(
  onnx: Uint8Array,
  zipMaps: readonly { classes: readonly string[] }[],
): readonly string[] {
  const named = decodeOnnxGraph(onnx).nodes.map(({ attributes }) => readClasses(attributes));
  return [...zipMaps.map(({ classes }) => classes), ...named].find(({ length }) => length > 0) ?? [];
}
