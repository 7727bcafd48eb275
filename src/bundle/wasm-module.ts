/** Instructions, nested as far as one likes: names of locals, bytes of operations and their operands. */
export type WasmCode = number | { readonly local: string } | readonly WasmCode[];

/** A function of 32-bit whole numbers that gives nothing and works on a memory of its own. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: readonly string[];
  /** Whole numbers too. */
  readonly locals: readonly string[];
  /** Locals of 128 bits; none when not said. */
  readonly vectors?: readonly string[];
  /** Whether it reads a memory that threads share, beside its own. */
  readonly readsShared?: boolean;
  readonly code: WasmCode;
}

/** The memory of a module, or of several. */
export interface OwnMemory {
  readonly buffer: ArrayBuffer;
}

/** A memory that threads share: it may be sent to them in messages. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

const I32 = 0x7f;
const V128 = 0x7b;
const NO_RESULT = 0x40;
/** log2 of the bytes that addresses are multiples of. */
const ALIGNMENT = 2;
const END = 0x0b;
const SHARED_MEMORY = 1;
/** Of the operand that says where a load reads: the number of a memory follows. */
const NAMES_MEMORY = 0x40;

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
    /** A byte, 0 to 255. */
    loadByte: (address: WasmCode, offset: number): WasmCode => [address, 0x2d, 0, leb(offset)],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x6a],
    multiply: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0x6c],
    shiftLeft: (value: WasmCode, bits: WasmCode): WasmCode => [value, bits, 0x74],
    store: (address: WasmCode, value: WasmCode, offset: number): WasmCode => [
      address,
      value,
      0x36,
      ALIGNMENT,
      leb(offset),
    ],
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
  f64: {
    of: (value: number): WasmCode => [0x44, [...new Uint8Array(Float64Array.of(value).buffer)]],
    load: (address: WasmCode, offset: number): WasmCode => [address, 0x2b, ALIGNMENT, leb(offset)],
    store: (address: WasmCode, value: WasmCode, offset: number): WasmCode => [
      address,
      value,
      0x39,
      ALIGNMENT,
      leb(offset),
    ],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, 0xa0],
  },
  /** Two numbers of 64 bits, four of 32, or eight of 16, side by side. */
  v128: {
    load: (address: WasmCode, offset: number): WasmCode => [address, simd(0x00), ALIGNMENT, leb(offset)],
    zero: (): WasmCode => [simd(0x0c), Array<number>(16).fill(0)],
    /** Of the memory that threads share, as the one that follows. */
    loadShared: (address: WasmCode, offset: number): WasmCode => [address, simd(0x00), sharedAt(offset)],
    /** Eight signed bytes, each as a number of 16 bits. */
    loadSharedBytes: (address: WasmCode, offset: number): WasmCode => [address, simd(0x01), sharedAt(offset)],
    /** Four times the same 32 bits. */
    loadSplat: (address: WasmCode, offset: number): WasmCode => [address, simd(0x09), ALIGNMENT, leb(offset)],
    /** Twice the same 64 bits. */
    loadSplat64: (address: WasmCode, offset: number): WasmCode => [
      address,
      simd(0x0a),
      ALIGNMENT,
      leb(offset),
    ],
    store: (address: WasmCode, value: WasmCode, offset: number): WasmCode => [
      address,
      value,
      simd(0x0b),
      ALIGNMENT,
      leb(offset),
    ],
    and: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0x4e)],
    or: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0x50)],
    /** Bits of one where those of the mask are 1, else of the other. */
    choose: (one: WasmCode, other: WasmCode, mask: WasmCode): WasmCode => [one, other, mask, simd(0x52)],
    isAny: (value: WasmCode): WasmCode => [value, simd(0x53)],
  },
  i32x4: {
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xae)],
    /** Products of eight numbers of 16 bits, each two neighbours added. */
    dot: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xba)],
  },
  f32x4: {
    from: (value: WasmCode): WasmCode => [value, simd(0xfa)],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xe4)],
    subtract: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xe5)],
    multiply: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xe6)],
    /** Comparisons give ones where they hold, which they never do for NaN. */
    isMore: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0x44)],
    isAtMost: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0x45)],
    isAtLeast: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0x46)],
  },
  f64x2: {
    /** Of the first two of four numbers of 32 bits. */
    from: (value: WasmCode): WasmCode => [value, simd(0x5f)],
    add: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xf0)],
    multiply: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xf2)],
    divide: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xf3)],
    /** The larger of two numbers that are none of them NaN. */
    larger: (one: WasmCode, other: WasmCode): WasmCode => [one, other, simd(0xf7)],
  },
};

function simd(operation: number): WasmCode {
  return [0xfd, leb(operation)];
}

/** No alignment is promised. */
function sharedAt(offset: number): WasmCode {
  return [NAMES_MEMORY, SHARED_MEMORY, leb(offset)];
}

/** TypeScript declares WebAssembly for browsers only. */
interface WebAssemblyApi {
  readonly Memory: {
    new (size: { initial: number }): OwnMemory;
    new (size: { initial: number; maximum: number; shared: true }): SharedMemory;
  };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, (...parameters: number[]) => void>> };
}

const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const PAGE_BYTES = 65_536;
const MOST_PAGES = 65_536;

/** What a module works on. */
export interface WasmMemory {
  readonly own: OwnMemory;
  readonly shared?: SharedMemory;
}

/** A memory of zeros. */
export function createOwnMemory(bytes: number): OwnMemory {
  return new Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
}

/** A memory of zeros that threads share. */
export function createSharedMemory(bytes: number): SharedMemory {
  return new Memory({ initial: Math.ceil(bytes / PAGE_BYTES), maximum: MOST_PAGES, shared: true });
}

/** Starts a module of functions on a memory: the functions, in their order. */
export type WasmStart = (memory: WasmMemory) => readonly ((...parameters: number[]) => void)[];

/**
 * Functions as a module, which is compiled once and started with as many memories as one likes.
 * @param functions each of another name, all with the same memories
 */
export function compileWasm(functions: readonly WasmFunction[]): WasmStart {
  const module = new Module(Uint8Array.from(encodeModule(functions)));
  return ({ own, shared }) => {
    const { exports } = new Instance(module, { env: { memory: own, shared } });
    return functions.map(({ name }) => exports[name]!);
  };
}

/** webassembly.github.io/spec/core/binary/modules.html */
function encodeModule(functions: readonly WasmFunction[]): number[] {
  const own = [...text('env'), ...text('memory'), 0x02, 0, 0];
  const shared = [...text('env'), ...text('shared'), 0x02, 3, 0, ...leb(MOST_PAGES)];
  const readsShared = functions.some((fn) => fn.readsShared === true);
  return [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, vector(functions.map(({ parameters }) => encodeType(parameters)))),
    section(2, vector(readsShared ? [own, shared] : [own])),
    section(3, vector(functions.map((_, index) => leb(index)))),
    section(7, vector(functions.map(({ name }, index) => [...text(name), 0x00, ...leb(index)]))),
    section(10, vector(functions.map(encodeBody))),
  ].flat();
}

function encodeType(parameters: readonly string[]): number[] {
  return [0x60, ...vector(parameters.map(() => [I32])), ...vector([])];
}

function encodeBody({ parameters, locals, vectors = [], code }: WasmFunction): number[] {
  const types = [
    [...leb(locals.length), I32],
    [...leb(vectors.length), V128],
  ];
  const names = [...parameters, ...locals, ...vectors];
  const body = append([code, END], names, vector(types));
  return [leb(body.length), body].flat();
}

/** Appends the bytes of instructions: of a hundred kilobytes, copies at every level took a hundred times as long. */
function append(code: WasmCode, names: readonly string[], bytes: number[]): number[] {
  if (typeof code === 'number') bytes.push(code);
  else if ('local' in code) bytes.push(...leb(names.indexOf(code.local)));
  else for (const part of code) append(part, names, bytes);
  return bytes;
}

function section(id: number, content: readonly number[]): number[] {
  return [id, leb(content.length), content].flat();
}

function vector(parts: readonly (readonly number[])[]): number[] {
  return [leb(parts.length), ...parts].flat();
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
