import type { Tensor, TensorFile } from '../bundle/tensor-file.js';
import { ShortlistError } from '../domain/errors.js';

/**
 * Reads the parts of one candidate artefact and keeps every problem instead of stopping at the first: a part with a
 * problem reads as an empty array or NaN, and `finish` refuses the artefact.
 */
export interface ArtefactReader {
  /** The values of a tensor of this type and shape, all finite; null in a shape leaves that length open. */
  float32(name: string, shape: Shape): Float32Array;
  float64(name: string, shape: Shape): Float64Array;
  int32(name: string, shape: Shape): Int32Array;
  uint32(name: string, shape: Shape): Uint32Array;
  /** A number of the metadata; `rule` says in words what `isValid` asks for. */
  number(name: string, isValid: (value: number) => boolean, rule: string): number;
  /** Adds a problem that only the caller can see. */
  report(problem: string): void;
  /** True while no problem was found. */
  isSound(): boolean;
  /** @throws ShortlistError INVALID_BUNDLE with all problems found. */
  finish(): void;
}

type Shape = readonly (number | null)[];
type TensorClass<T> = { new (length: number): T; readonly name: string };

/** @param source name of the candidate source the artefact belongs to; every problem starts with it */
export function createArtefactReader(source: string, artefact: TensorFile): ArtefactReader {
  const problems: string[] = [];
  const report = (problem: string): void => void problems.push(`${source}: ${problem}`);

  function read<T extends Tensor['data']>(name: string, shape: Shape, dataClass: TensorClass<T>): T {
    const tensor = artefact.tensors.get(name);
    const problem = findProblem(tensor, shape, dataClass);
    if (problem === undefined) return tensor!.data as T;
    report(`${name}: ${problem}`);
    return new dataClass(0);
  }

  return {
    float32: (name, shape) => read(name, shape, Float32Array),
    float64: (name, shape) => read(name, shape, Float64Array),
    int32: (name, shape) => read(name, shape, Int32Array),
    uint32: (name, shape) => read(name, shape, Uint32Array),
    number: (name, isValid, rule) => {
      const text = artefact.metadata[name] ?? '';
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isFinite(value) && isValid(value)) return value;
      report(`metadata ${name}: expected ${rule}, found "${text}"`);
      return Number.NaN;
    },
    report,
    isSound: () => problems.length === 0,
    finish: () => {
      if (problems.length === 0) return;
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `the artefact of candidate source "${source}" cannot be served; train and publish again`,
        { problems },
      );
    },
  };
}

/** True for 1, 2, 3, … */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** What is wrong with offsets of compressed sparse rows that have so many entries: nothing, or one problem. */
export function findOffsetProblems(name: string, offsets: Uint32Array, entries: number): string[] {
  const ascend = offsets.every((offset, at) => at === 0 || offset >= offsets[at - 1]!);
  if (ascend && offsets[0] === 0 && offsets.at(-1) === entries) return [];
  return [`${name}: do not rise from 0 to ${entries}`];
}

function findProblem<T>(
  tensor: Tensor | undefined,
  shape: Shape,
  dataClass: TensorClass<T>,
): string | undefined {
  if (tensor === undefined) return 'missing';
  const { data } = tensor;
  if (!(data instanceof dataClass)) return `expected ${dataClass.name}, found ${data.constructor.name}`;
  const fits =
    tensor.shape.length === shape.length &&
    shape.every((length, axis) => length === null || length === tensor.shape[axis]);
  if (!fits)
    return `expected shape [${shape.map((length) => length ?? 'any').join(', ')}], found [${tensor.shape.join(', ')}]`;
  const size = tensor.shape.reduce((product, length) => product * length, 1);
  if (size !== data.length)
    return `shape [${tensor.shape.join(', ')}] needs ${size} values, found ${data.length}`;
  const broken = data.findIndex((value) => !Number.isFinite(value));
  return broken === -1 ? undefined : `value ${broken} is ${data[broken]}`;
}
