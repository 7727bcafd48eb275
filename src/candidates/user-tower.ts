import { type InferenceSession, Tensor } from 'onnxruntime-node';
import {
  describeValue,
  findValue,
  fitsTensor,
  messageOf,
  openOnnxSession,
  quoteNames,
} from '../bundle/onnx-session.js';
import { listInputNames, type TowerConfig } from '../config/encoder-config.js';
import { ShortlistError } from '../domain/errors.js';
import { createSeededRandom } from '../domain/seeded-random.js';
import { SECONDS_PER_DAY } from '../domain/time.js';

/** The input of a user tower: one user. */
export interface TowerInput {
  /** Items that the tower knows, oldest first, by their row of the item vectors. */
  readonly history: Int32Array;
  /** Unix seconds of each of them, ascending; read where the tower takes times. */
  readonly times?: Float64Array | undefined;
  /** Unix seconds of the request; read where the tower takes ages. */
  readonly now?: number | undefined;
  /** The columns of its user features; empty when it takes none. */
  readonly features: Float32Array;
}

/** The half of a two-tower model that gives the vector of a user. Opened once, used concurrently. */
export interface UserTower {
  /**
   * The vector of one user; its values are finite and no larger than `LARGEST_VALUE`.
   * @throws ShortlistError SOURCE_FAILED when the model fails, or gives something else
   */
  encode(user: TowerInput): Promise<Float64Array>;
  /** Frees native memory. The tower must not be in use. */
  close(): Promise<void>;
}

/** The sizes that a user tower has to fit to, and its name in errors. */
export interface UserTowerOptions {
  /** Length of the item vectors. */
  readonly dimensions: number;
  /** How many items the tower takes in a history: rows of the item vectors, from the first. */
  readonly vocabulary: number;
  /** How many columns its user features have. */
  readonly columns: number;
  /** What to call it in errors. */
  readonly name: string;
}

/** Inner products of vectors with values up to this are finite float32 up to 10^8 dimensions. */
export const LARGEST_VALUE = 1e15;

/**
 * Opens an ONNX model as the tower that a spec describes: exactly the inputs that it names, with a first dimension that is
 * dynamic or 1, and an output float32 [N, dimensions]. Before it is handed out it is tried on short and full histories, on
 * the first and the last item, and, where it takes features, on a user without a history; twice on each.
 *
 * @throws ShortlistError INVALID_BUNDLE when the bytes are no model, naming everything in its form that does not fit, or
 * when it cannot encode the users it is tried on, or gives one of them two vectors
 */
export async function openUserTower(
  model: Uint8Array,
  config: TowerConfig,
  options: UserTowerOptions,
): Promise<UserTower> {
  const session = await openOnnxSession(model, { what: options.name });
  const tower = createTower(session, config, options);
  try {
    refuseMisfit(session, config, options);
    await tryUsers(tower, config, options);
  } catch (error) {
    await tower.close();
    throw error;
  }
  return tower;
}

/** What the inputs of a tower may be. */
const INTEGERS = ['int64', 'int32'] as const;
const MASKS = ['bool', 'float32', ...INTEGERS] as const;
type ElementType = (typeof MASKS)[number];

/** One input that the spec declares: its sizes after the first, and what it is fed. */
interface TowerFeed {
  readonly input: string;
  readonly types: readonly ElementType[];
  readonly sizes: readonly number[];
  readonly fill: (user: TowerInput) => Iterable<number>;
}

function listFeeds(config: TowerConfig, { columns }: UserTowerOptions): TowerFeed[] {
  const { history, historyLength, historyMask, historyTimes, userFeatures } = config;
  const feeds: TowerFeed[] = [];
  const add = (input: string | undefined, feed: Omit<TowerFeed, 'input'>): void => {
    if (input !== undefined) feeds.push({ input, ...feed });
  };
  if (history !== undefined) {
    const { length, firstItem = 0, order, padSide, padding } = history;
    const place = (items: number[], filler: number): number[] => {
      if (order === 'newest-first') items.reverse();
      const rest = Array<number>(length - items.length).fill(filler);
      return padSide === 'start' ? [...rest, ...items] : [...items, ...rest];
    };
    add(history.input, {
      types: INTEGERS,
      sizes: [length],
      fill: (user) =>
        place(
          Array.from(user.history.subarray(-length), (row) => row + firstItem),
          padding,
        ),
    });
    add(historyMask, {
      types: MASKS,
      sizes: [length],
      fill: (user) => place(Array<number>(Math.min(length, user.history.length)).fill(1), 0),
    });
    add(historyTimes?.input, {
      types: ['float32'],
      sizes: [length],
      fill: (user) => place(listTimes(user, { length, ...historyTimes! }), historyTimes!.padding ?? 0),
    });
    add(historyLength, {
      types: INTEGERS,
      sizes: [],
      fill: (user) => [Math.min(length, user.history.length)],
    });
  }
  add(userFeatures?.input, { types: ['float32'], sizes: [columns], fill: ({ features }) => features });
  return feeds;
}

const SECONDS_OF = { seconds: 1, hours: 3600, days: SECONDS_PER_DAY } as const;

/** Ages or gaps of the latest items, oldest first. Clocks that disagree give no negative age. */
function listTimes(
  { times = new Float64Array(0), now = times.at(-1) ?? 0 }: TowerInput,
  { length, of, unit }: NonNullable<TowerConfig['historyTimes']> & { length: number },
): number[] {
  const latest = times.subarray(-length);
  const spans = Array.from(latest, (time, at) =>
    of === 'age' ? Math.max(0, now - time) : time - latest[Math.max(0, at - 1)]!,
  );
  return spans.map((seconds) => seconds / SECONDS_OF[unit]);
}

function createTower(session: InferenceSession, config: TowerConfig, options: UserTowerOptions): UserTower {
  const feeds = listFeeds(config, options);
  const typeOf = new Map(session.inputMetadata.map((value) => [value.name, value.isTensor && value.type]));
  let closed = false;
  return {
    encode: async (user) => {
      if (closed) throw failed(options, 'is closed');
      const tensors = feeds.map(({ input, sizes, fill }) => [
        input,
        toTensor(typeOf.get(input) as ElementType, [...fill(user)], [1, ...sizes]),
      ]);
      return readVector(await run(session, Object.fromEntries(tensors), config.output, options), options);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await session.release();
    },
  };
}

function toTensor(type: ElementType, values: readonly number[], dims: number[]): Tensor {
  if (type === 'int64') return new Tensor(type, BigInt64Array.from(values, BigInt), dims);
  if (type === 'int32') return new Tensor(type, Int32Array.from(values), dims);
  if (type === 'bool') return new Tensor(type, Uint8Array.from(values), dims);
  return new Tensor(type, Float32Array.from(values), dims);
}

async function run(
  session: InferenceSession,
  feeds: Record<string, Tensor>,
  output: string,
  options: UserTowerOptions,
): Promise<Tensor> {
  try {
    return (await session.run(feeds, [output]))[output]!;
  } catch (cause) {
    throw failed(options, `failed: ${messageOf(cause)}`, cause);
  }
}

function readVector(output: Tensor, options: UserTowerOptions): Float64Array {
  const { dims } = output;
  if (output.size !== options.dimensions) {
    throw failed(options, `gave a vector of shape [${dims.join(', ')}], not [1, ${options.dimensions}]`);
  }
  const vector = Float64Array.from(output.data as Float32Array);
  const bad = vector.findIndex((value) => !(Math.abs(value) <= LARGEST_VALUE));
  if (bad >= 0) throw failed(options, `gave a vector with ${vector[bad]} at place ${bad + 1}`);
  return vector;
}

function failed({ name }: UserTowerOptions, what: string, cause?: unknown): ShortlistError {
  return new ShortlistError('SOURCE_FAILED', `The model of ${name} ${what}.`, { cause });
}

function refuseMisfit(session: InferenceSession, config: TowerConfig, options: UserTowerOptions): void {
  const { inputMetadata, outputMetadata } = session;
  const declared = listInputNames(config);
  const undeclared = inputMetadata.filter(({ name }) => !declared.includes(name));
  const problems = [
    ...listFeeds(config, options).flatMap((feed) => listInputProblems(feed, inputMetadata)),
    ...(undeclared.length === 0
      ? []
      : [
          `its inputs ${quoteNames(undeclared)} are declared to be nothing: say what they take, or export it without them`,
        ]),
    ...listOutputProblems(config.output, outputMetadata, options),
    ...listPaddingProblems(config, options),
  ];
  if (problems.length === 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `The model of ${options.name} does not have the form that its encoder.yaml gives.`,
    { problems },
  );
}

function listInputProblems(
  { input, types, sizes }: TowerFeed,
  inputs: readonly InferenceSession.ValueMetadata[],
): string[] {
  const value = findValue('input', input, inputs);
  if (typeof value === 'string') return [value];
  const isOne = value.isTensor && (typeof value.shape[0] === 'string' || value.shape[0] === 1);
  if (isOne && types.some((type) => fitsTensor(value, type, sizes))) return [];
  const advice = isOne || !value.isTensor ? '' : ': one user is asked for at a time, N must be dynamic or 1';
  return [
    `input ${describeValue(value)} should be ${types.join(' or ')} [${['N', ...sizes].join(', ')}]${advice}`,
  ];
}

function listOutputProblems(
  name: string,
  outputs: readonly InferenceSession.ValueMetadata[],
  { dimensions }: UserTowerOptions,
): string[] {
  const output = findValue('output', name, outputs);
  if (typeof output === 'string') return [output];
  if (fitsTensor(output, 'float32', [dimensions])) return [];
  return [
    `output ${describeValue(output)} should be float32 [N, ${dimensions}], as long as the vectors of the items`,
  ];
}

/** A model that is told neither how many places are items nor which must know it by the number in the others. */
function listPaddingProblems(
  { history, historyLength, historyMask }: TowerConfig,
  { vocabulary }: UserTowerOptions,
): string[] {
  if (history === undefined || historyLength !== undefined || historyMask !== undefined) return [];
  const { padding, firstItem = 0 } = history;
  if (padding < firstItem || padding >= firstItem + vocabulary) return [];
  return [
    `history.padding is ${padding}, which is also the number of an item: the items are ${firstItem} to ` +
      `${firstItem + vocabulary - 1} (firstItem says where they begin); or give the model historyLength or historyMask`,
  ];
}

async function tryUsers(tower: UserTower, config: TowerConfig, options: UserTowerOptions): Promise<void> {
  for (const [what, user] of Object.entries(inventUsers(config, options))) {
    let vectors: Float64Array[];
    try {
      vectors = [await tower.encode(user), await tower.encode(user)];
    } catch (cause) {
      throw new ShortlistError(
        'INVALID_BUNDLE',
        `${options.name} cannot encode ${what}: ${(cause as Error).message}`,
        { cause },
      );
    }
    refuseRandom(vectors, { what, ...options });
  }
}

/** The same input runs through the same kernels: what differs is no rounding, though a last bit is forgiven. */
const ROUNDING = 1e-6;

function refuseRandom(
  [first, second]: readonly Float64Array[],
  { what, name }: { what: string; name: string },
): void {
  const size = Math.max(...first!.map(Math.abs));
  const at = first!.findIndex((value, place) => Math.abs(value - second![place]!) > ROUNDING * size);
  if (at < 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${name} gives ${what} another vector when it is asked again (place ${at + 1}: ${first![at]}, then ${second![at]}): ` +
      'dropout, batch normalisation in training mode or a random operator is on; export it in evaluation mode (model.eval()).',
  );
}

function inventUsers(
  { history, userFeatures }: TowerConfig,
  options: UserTowerOptions,
): Record<string, TowerInput> {
  const { columns, vocabulary } = options;
  const random = createSeededRandom(1);
  const zeros = new Float32Array(columns);
  const features = zeros.map(() => random.uniform());
  const nobody = { 'a user without a history': { history: new Int32Array(0), features } };
  if (history === undefined) return { 'a user whose features are zeros': { history: new Int32Array(0), features: zeros }, ...nobody }; // prettier-ignore
  const full = Int32Array.from({ length: history.length }, () => random.integer(vocabulary));
  const once = { times: Float64Array.of(0), now: SECONDS_PER_DAY };
  // Many at one time, and a year between some.
  const times = Float64Array.from(full.keys(), (at) => Math.floor(at / 3) * 365 * SECONDS_PER_DAY);
  return {
    'a user of one item, the first': { history: Int32Array.of(0), features: zeros, ...once },
    'a user of one item, the last that it is to know': {
      history: Int32Array.of(vocabulary - 1),
      features,
      ...once,
    },
    'a user with a full history': { history: full, features, times, now: times.at(-1)! + SECONDS_PER_DAY },
    ...(userFeatures !== undefined && nobody),
  };
}
