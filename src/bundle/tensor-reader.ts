import { ShortlistError } from '../domain/errors.js';
import type { Tensor, TensorFile } from './tensor-file.js';

/**
 * Reads the parts of one tensor file and keeps every problem instead of stopping at the first: a part with a problem
 * reads as an empty array or NaN, and `finish` refuses the file.
 */
export interface TensorReader {
  /** The values of a tensor of this type and shape, all finite; null in a shape leaves that length open. */
  float32(part: string, shape: Shape): Float32Array;
  float64(part: string, shape: Shape): Float64Array;
  int32(part: string, shape: Shape): Int32Array;
  uint32(part: string, shape: Shape): Uint32Array;
  /** A number of the metadata; `rule` says in words what `isValid` asks for. */
  number(part: string, isValid: (value: number) => boolean, rule: string): number;
  /** Adds a problem that only the caller can see. */
  report(problem: string): void;
  /** True while no problem was found. */
  isSound(): boolean;
  /** @throws ShortlistError INVALID_BUNDLE with all problems found. */
  finish(): void;
}

type Shape = readonly (number | null)[];
type TensorClass<T> = { new (length: number): T; readonly name: string };

/** @param name the candidate source that serves from the file, or the file; every problem starts with it */
export function createTensorReader(name: string, file: TensorFile): TensorReader {
  const problems: string[] = [];
  const report = (problem: string): void => void problems.push(`${name}: ${problem}`);

  function read<T extends Tensor['data']>(part: string, shape: Shape, dataClass: TensorClass<T>): T {
    const tensor = file.tensors.get(part);
    const problem = findProblem(tensor, shape, dataClass);
    if (problem === undefined) return tensor!.data as T;
    report(`${part}: ${problem}`);
    return new dataClass(0);
  }

  return {
    float32: (part, shape) => read(part, shape, Float32Array),
    float64: (part, shape) => read(part, shape, Float64Array),
    int32: (part, shape) => read(part, shape, Int32Array),
    uint32: (part, shape) => read(part, shape, Uint32Array),
    number: (part, isValid, rule) => {
      const text = file.metadata[part] ?? '';
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (Number.isFinite(value) && isValid(value)) return value;
      report(`metadata ${part}: expected ${rule}, found "${text}"`);
      return Number.NaN;
    },
    report,
    isSound: () => problems.length === 0,
    finish: () => {
      if (problems.length === 0) return;
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `the tensors of ${name} cannot be served; train and publish again`,
        { problems },
      );
    },
  };
}

/** True for 1, 2, 3, … */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** Checks the offsets of compressed sparse rows against the number of entries: no problem or one. */
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
  const broken = findNotFinite(data);
  return broken === -1 ? undefined : `value ${broken} is ${data[broken]}`;
}

/** A loop without calls: the histories of a large bundle have tens of millions of values. */
function findNotFinite(data: Tensor['data']): number {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return -1;
  for (let index = 0; index < data.length; index++) if (!Number.isFinite(data[index])) return index;
  return -1;
}
