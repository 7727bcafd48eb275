import { ShortlistError } from '../domain/errors.js';

/** A typed array with its shape, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;
}

/** Named tensors and text metadata: the form in which candidate artefacts live in a bundle (safetensors format). */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

type Dtype = keyof typeof ARRAYS;

/** One tensor of the header, its offsets counted from the start of the data. */
interface TensorEntry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  U8: Uint8Array,
} as const;
const LENGTH_BYTES = 8;
const ALIGNMENT_BYTES = 8;
const METADATA = '__metadata__';
const FORBIDDEN_NAMES: readonly string[] = [METADATA, '__proto__'];

/** A file of vectors by name, without metadata. */
export function vectorFile(vectors: Readonly<Record<string, Tensor['data']>>): TensorFile {
  const tensors = Object.entries(vectors).map(([name, data]): [string, Tensor] => [
    name,
    { shape: [data.length], data },
  ]);
  return { tensors: new Map(tensors), metadata: {} };
}

/**
 * The bytes of a safetensors file (https://github.com/huggingface/safetensors): header length, JSON header with keys
 * sorted, data. The same tensors give the same bytes. Every tensor starts at a multiple of its element size, so that a
 * reader needs no copy: the format allows no gaps, therefore the widest elements come first.
 * @throws {RangeError} when a shape and its data disagree, or a name is reserved
 */
export function encodeTensorFile(file: TensorFile): Uint8Array {
  const entries = placeTensors(file.tensors);
  const header = encodeHeader(entries, file.metadata);
  const dataStart = LENGTH_BYTES + header.length;
  const bytes = new Uint8Array(dataStart + entries.reduce((size, { start, end }) => size + end - start, 0));
  new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, LENGTH_BYTES);
  for (const { name, start } of entries) {
    const { data } = file.tensors.get(name)!;
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), dataStart + start);
  }
  return bytes;
}

/**
 * Reads a safetensors file: the tensors are views into `bytes` where their alignment allows it, else copies.
 * @param name what to call the file in errors
 * @throws ShortlistError INVALID_BUNDLE naming the file and every problem: a header that lies about its length, types
 * that are not F32 F64 I32 U32 U8, shapes, offsets that overlap, leave gaps or leave the file, reserved names
 */
export function parseTensorFile(bytes: Uint8Array, name: string): TensorFile {
  const { header, dataStart } = parseHeader(bytes, name);
  const problems: string[] = [];
  const metadata = parseMetadata(header, problems);
  const entries = parseEntries(header, problems);
  if (problems.length === 0) problems.push(...findPlacementProblems(entries, bytes.length - dataStart));
  if (problems.length > 0) throw invalidTensorFile(name, problems);
  const tensors = entries.map((entry): [string, Tensor] => [entry.name, viewTensor(bytes, dataStart, entry)]);
  return { tensors: new Map(tensors), metadata };
}

function placeTensors(tensors: ReadonlyMap<string, Tensor>): TensorEntry[] {
  const byName = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  let offset = 0;
  const entries: TensorEntry[] = [];
  for (const elementBytes of [8, 4, 1]) {
    for (const [name, { shape, data }] of byName) {
      if (data.BYTES_PER_ELEMENT !== elementBytes) continue;
      checkTensor(name, { shape, data });
      entries.push({ name, dtype: dtypeOf(data), shape, start: offset, end: offset + data.byteLength });
      offset += data.byteLength;
    }
  }
  return entries;
}

function checkTensor(name: string, { shape, data }: Tensor): void {
  if (FORBIDDEN_NAMES.includes(name)) throw new RangeError(`a tensor cannot be called ${name}`);
  if (elementCount(shape) === data.length) return;
  throw new RangeError(`tensor ${name} has shape [${shape.join(', ')}] but ${data.length} values`);
}

function dtypeOf(data: Tensor['data']): Dtype {
  return (Object.keys(ARRAYS) as Dtype[]).find((dtype) => data instanceof ARRAYS[dtype])!;
}

/** JSON with sorted keys, padded with spaces so that the data starts at a multiple of 8 bytes. */
function encodeHeader(entries: readonly TensorEntry[], metadata: TensorFile['metadata']): Uint8Array {
  if (Object.hasOwn(metadata, '__proto__')) throw new RangeError('a metadata key cannot be called __proto__');
  const members = entries.map(({ name, dtype, shape, start, end }): [string, unknown] => [
    name,
    { dtype, shape, data_offsets: [start, end] },
  ]);
  if (Object.keys(metadata).length > 0) {
    members.push([METADATA, Object.fromEntries(sortByKey(Object.entries(metadata)))]);
  }
  const json = sortByKey(members).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const header = new TextEncoder().encode(`{${json.join(',')}}`);
  const padded = new Uint8Array(Math.ceil(header.length / ALIGNMENT_BYTES) * ALIGNMENT_BYTES).fill(0x20);
  padded.set(header);
  return padded;
}

function sortByKey<T>(members: [string, T][]): [string, T][] {
  return members.sort(([a], [b]) => (a < b ? -1 : 1));
}

function parseHeader(bytes: Uint8Array, name: string): { header: Map<string, unknown>; dataStart: number } {
  if (bytes.length < LENGTH_BYTES) {
    throw invalidTensorFile(name, [
      `it has ${bytes.length} bytes, fewer than the ${LENGTH_BYTES} of a header length`,
    ]);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - LENGTH_BYTES)) {
    throw invalidTensorFile(name, [`its header claims ${length} bytes, the file has ${bytes.length}`]);
  }
  const dataStart = LENGTH_BYTES + Number(length);
  return { header: parseJsonObject(bytes.subarray(LENGTH_BYTES, dataStart), name), dataStart };
}

function parseJsonObject(bytes: Uint8Array, name: string): Map<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidTensorFile(name, [`its header is not JSON: ${(cause as Error).message}`], cause);
  }
  if (!isRecord(header)) throw invalidTensorFile(name, ['its header is not a JSON object']);
  return new Map(Object.entries(header));
}

function parseMetadata(header: ReadonlyMap<string, unknown>, problems: string[]): Record<string, string> {
  const metadata = header.get(METADATA) ?? {};
  const members = isRecord(metadata) ? Object.entries(metadata) : [];
  const texts = members.filter((member): member is [string, string] => typeof member[1] === 'string');
  if (!isRecord(metadata) || texts.length < members.length || Object.hasOwn(metadata, '__proto__')) {
    problems.push(`${METADATA} must hold texts by name (and none by the name __proto__)`);
  }
  return Object.fromEntries(texts);
}

function parseEntries(header: ReadonlyMap<string, unknown>, problems: string[]): TensorEntry[] {
  const entries: TensorEntry[] = [];
  for (const [name, fields] of header) {
    if (name === METADATA) continue;
    const entry = parseEntry(name, fields);
    if (typeof entry === 'string') problems.push(`tensor ${JSON.stringify(name)} ${entry}`);
    else entries.push(entry);
  }
  return entries;
}

/** The entry, or what is wrong with it. */
function parseEntry(name: string, fields: unknown): TensorEntry | string {
  if (FORBIDDEN_NAMES.includes(name)) return 'has a reserved name';
  if (!isRecord(fields)) return 'is not described by an object';
  const { dtype, shape, data_offsets: offsets } = fields;
  if (typeof dtype !== 'string' || !Object.hasOwn(ARRAYS, dtype)) {
    return `has type ${JSON.stringify(dtype)}; known are ${Object.keys(ARRAYS).join(' ')}`;
  }
  if (!isCounts(shape)) return `has shape ${JSON.stringify(shape)}, not a list of counts`;
  if (!isCounts(offsets) || offsets.length !== 2) {
    return `has data_offsets ${JSON.stringify(offsets)}, not [start, end]`;
  }
  const [start, end] = offsets as [number, number];
  const sizeBytes = elementCount(shape) * ARRAYS[dtype as Dtype].BYTES_PER_ELEMENT;
  if (end - start !== sizeBytes) {
    return `needs ${sizeBytes} bytes for shape [${shape.join(', ')}], its data_offsets give ${end - start}`;
  }
  return { name, dtype: dtype as Dtype, shape, start, end };
}

/** Tensors must cover the data from its first to its last byte, one after the other: no byte without a meaning. */
function findPlacementProblems(entries: readonly TensorEntry[], dataBytes: number): string[] {
  const problems: string[] = [];
  let covered = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (end > dataBytes)
      problems.push(`tensor ${JSON.stringify(name)} ends at ${end} of ${dataBytes} data bytes`);
    else if (start < covered)
      problems.push(`tensor ${JSON.stringify(name)} overlaps another one at ${start}`);
    else if (start > covered) problems.push(`no tensor covers the data bytes ${covered} to ${start}`);
    covered = Math.max(covered, end);
  }
  if (covered < dataBytes) problems.push(`no tensor covers the data bytes ${covered} to ${dataBytes}`);
  return problems;
}

function viewTensor(bytes: Uint8Array, dataStart: number, { dtype, shape, start, end }: TensorEntry): Tensor {
  const ArrayOfType = ARRAYS[dtype];
  const part = bytes.subarray(dataStart + start, dataStart + end);
  const aligned = part.byteOffset % ArrayOfType.BYTES_PER_ELEMENT === 0 ? part : new Uint8Array(part);
  const length = part.length / ArrayOfType.BYTES_PER_ELEMENT;
  return { shape, data: new ArrayOfType(aligned.buffer as ArrayBuffer, aligned.byteOffset, length) };
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidTensorFile(name: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `${name} is not a sound tensor file`, {
    problems: problems.map((problem) => `${name}: ${problem}`),
    cause,
  });
}
