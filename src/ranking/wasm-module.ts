/** Instructions, nested as far as one likes: names of locals, bytes of operations and their operands. */
export type WasmCode = number | { readonly local: string } | readonly WasmCode[];

/** A function of 32-bit whole numbers that gives nothing and works on the memory `env.memory`. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Whole numbers too. */
  readonly locals: readonly string[];
  readonly code: WasmCode;
}

const I32 = 0x7f;
const NO_RESULT = 0x40;
/** log2 of the bytes that addresses are multiples of. */
const ALIGNMENT = 2;
const END = 0x0b;

/**
 * The subset of WebAssembly that this file can write
 * (webassembly.github.io/spec/core/binary/instructions.html), operands first.
 */
export const WASM = {
  get: (name: string): WasmCode => [0x20, { local: name }],
  set: (name: string, value: WasmCode): WasmCode => [value, 0x21, { local: name }],
  block: (body: WasmCode): WasmCode => [0x02, NO_RESULT, body, END],
  /** Runs once, and again from `repeatIf`. */
  loop: (body: WasmCode): WasmCode => [0x03, NO_RESULT, body, END],
  /** Both of the innermost block or loop. */
  leaveIf: (condition: WasmCode): WasmCode => [condition, 0x0d, 0],
  repeatIf: (condition: WasmCode): WasmCode => [condition, 0x0d, 0],
  i32: {
    of: (value: number): WasmCode => [0x41, signedLeb(value)],
    load: (address: WasmCode, offset: number): WasmCode => [address, 0x28, ALIGNMENT, leb(offset)],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x6a],
    shiftLeft: (value: WasmCode, bits: WasmCode): WasmCode => [value, bits, 0x74],
    isZero: (value: WasmCode): WasmCode => [value, 0x45],
    isMore: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x4a],
  },
  f32: {
    load: (address: WasmCode, offset: number): WasmCode => [address, 0x2a, ALIGNMENT, leb(offset)],
    store: (address: WasmCode, value: WasmCode, offset: number): WasmCode => [
      address,
      value,
      0x38,
      ALIGNMENT,
      leb(offset),
    ],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x92],
    /** 0 when either is NaN. */
    isAtMost: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x5f],
  },
};

/** TypeScript declares WebAssembly for browsers only. */
interface WebAssemblyApi {
  readonly Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, (...parameters: number[]) => void>> };
}

const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const PAGE_BYTES = 65_536;

/** A function as a module, which is compiled once and started with as many memories as one likes. */
export function compileWasm(
  fn: WasmFunction,
): (memoryBytes: number) => { memory: ArrayBuffer; call: (...parameters: number[]) => void } {
  const module = new Module(Uint8Array.from(encodeModule(fn)));
  return (memoryBytes) => {
    const memory = new Memory({ initial: Math.ceil(memoryBytes / PAGE_BYTES) });
    const { exports } = new Instance(module, { env: { memory } });
    return { memory: memory.buffer, call: exports[fn.name]! };
  };
}

/** webassembly.github.io/spec/core/binary/modules.html */
function encodeModule({ name, parameters, locals, code }: WasmFunction): number[] {
  const names = [...parameters, ...locals];
  const body = [...vector([[...leb(locals.length), I32]]), ...flatten(code, names), END];
  return [
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector(parameters.map(() => [I32])), ...vector([])]])),
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, 0, 0]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...text(name), 0x00, 0]])),
    ...section(10, vector([[...leb(body.length), ...body]])),
  ];
}

function flatten(code: WasmCode, names: readonly string[]): number[] {
  if (typeof code === 'number') return [code];
  if ('local' in code) return leb(names.indexOf(code.local));
  return code.flatMap((part) => flatten(part, names));
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function vector(parts: readonly (readonly number[])[]): number[] {
  return [...leb(parts.length), ...parts.flat()];
}

function text(value: string): number[] {
  return vector([...Buffer.from(value)].map((byte) => [byte]));
}

/** Seven bits at a time, the lowest first; the eighth says that more follow. */
function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}

function signedLeb(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signedLeb(value >> 7)];
}
