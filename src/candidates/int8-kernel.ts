import {
  compileWasm,
  createOwnMemory,
  createSharedMemory,
  WASM,
  type WasmCode,
  type WasmFunction,
  type WasmMemory,
  type WasmStart,
} from '../bundle/wasm-module.js';
import { STEP, TILE } from './int8-rows.js';

/** Users that are scored side by side at most. */
export const MOST_USERS = 4;

/** Bytes of what is written of four rows: the lower and the upper bounds of their scores, and their items. */
export const RECORD = { lower: 0, upper: 16, items: 32, bytes: 48 } as const;

/** Bytes per user of what a kernel is told: the scale of the user's numbers, what upper bounds are to reach. */
export const LEVEL = { scale: 0, least: 4, bytes: 8 } as const;

/** What of the rows is scanned, and by whom: addresses and counts. */
export interface ScanPlaces {
  readonly rows: number;
  readonly tiles: number;
  readonly steps: number;
  readonly users: number;
  readonly userBytes: number;
  readonly levels: number;
  readonly outs: number;
}

const PARAMETERS = [
  'rows',
  'tiles',
  'steps',
  'users',
  'userBytes',
  'levels',
  'outs',
] as const satisfies readonly (keyof ScanPlaces)[];

const PAIR_BYTES = 2 * TILE;
const GROUP = 4;
/** Parts of a tile behind its bytes. */
const [SCALES, BOUNDS, ITEMS] = [0, 1, 2];

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

let start: WasmStart | undefined;

/**
 * Scans rows for those whose score may reach what a user has already, and writes a record of each four that hold one. `outs` says where
 * the records of each user begin, and is changed to where they end.
 */
export type ScanRows = (places: ScanPlaces) => void;

/** Whether the engine has what scans need: SIMD, memory that threads share, and functions of two memories. */
export function isScanPossible(): boolean {
  return (isPossible ??= tryScan());
}

let isPossible: boolean | undefined;

function tryScan(): boolean {
  try {
    openScans({ own: createOwnMemory(0), shared: createSharedMemory(0) });
    return true;
  } catch {
    return false;
  }
}

/**
 * The scans of 1, 2, … `MOST_USERS` users.
 * @param memory of the rows, shared, and of all else
 * @throws {Error} unless `isScanPossible`
 */
export function openScans(memory: Required<WasmMemory>): readonly ScanRows[] {
  start ??= compileWasm(range(MOST_USERS).map((index) => describeScan(index + 1)));
  return start(memory).map(
    (call) =>
      ({ rows, tiles, steps, users, userBytes, levels, outs }) =>
        call(rows, tiles, steps, users, userBytes, levels, outs),
  );
}

/** How many users a scan is for, and how many groups of four rows it takes at a time. */
interface Shape {
  readonly users: number;
  readonly groups: number;
}

const { get, set, i32, v128, i32x4, f32x4, block, loop, leaveIf, repeatIf } = WASM;
const increase = (name: string, by: number): WasmCode => set(name, i32.add(get(name), i32.of(by)));
/** The sums of a user and a group. */
const nameSums = (user: number, group: number): string => `sums${user}x${group}`;

/** One or two users take sixteen rows at a time, more take eight: as many sums as there are registers for. */
function describeScan(users: number): WasmFunction {
  const shape = { users, groups: users <= 2 ? 4 : 2 };
  return {
    name: `scan${users}`,
    parameters: PARAMETERS,
    locals: ['row', 'step', ...range(users).flatMap((user) => [`user${user}`, `out${user}`])],
    vectors: [
      'values',
      ...range(shape.groups).map((group) => `row${group}`),
      ...listPairs(shape).map(({ user, group }) => nameSums(user, group)),
    ],
    readsShared: true,
    code: writeScan(shape),
  };
}

function listPairs({ users, groups }: Shape): { user: number; group: number }[] {
  return range(users).flatMap((user) => range(groups).map((group) => ({ user, group })));
}

function writeScan(shape: Shape): WasmCode {
  const { users, groups } = shape;
  return [
    range(users).map((user) => set(`out${user}`, i32.load(get('outs'), 4 * user))),
    loop([
      range(TILE / GROUP / groups).map((pass) => [
        writeSums(shape, pass * groups),
        range(users).map((user) => writeRecords(shape, { user, firstGroup: pass * groups })),
      ]),
      set('rows', i32.add(get('row'), i32.of(3 * 4 * TILE))),
      increase('tiles', -1),
      repeatIf(get('tiles')),
    ]),
    range(users).map((user) => i32.store(get('outs'), get(`out${user}`), 4 * user)),
  ];
}

/** Products of some groups of a tile with all users; `row` ends behind the bytes of the tile. */
function writeSums(shape: Shape, firstGroup: number): WasmCode {
  const { users } = shape;
  return [
    listPairs(shape).map(({ user, group }) => set(nameSums(user, group), v128.zero())),
    set('row', get('rows')),
    set('step', get('steps')),
    set('user0', get('users')),
    range(users - 1).map((user) => set(`user${user + 1}`, i32.add(get(`user${user}`), get('userBytes')))),
    loop([
      range(STEP / 2).map((pair) => writeProducts(shape, firstGroup, pair)),
      increase('row', (STEP / 2) * PAIR_BYTES),
      range(users).map((user) => increase(`user${user}`, 2 * STEP)),
      increase('step', -1),
      repeatIf(get('step')),
    ]),
  ];
}

/** Two numbers of each row with two of each user. */
function writeProducts({ users, groups }: Shape, firstGroup: number, pair: number): WasmCode {
  const add = (user: number, group: number): WasmCode => {
    const name = nameSums(user, group);
    return set(name, i32x4.add(get(name), i32x4.dot(get(`row${group}`), get('values'))));
  };
  return [
    range(groups).map((group) => {
      const offset = pair * PAIR_BYTES + (firstGroup + group) * 2 * GROUP;
      return set(`row${group}`, v128.loadSharedBytes(get('row'), offset));
    }),
    range(users).map((user) => [
      set('values', v128.loadSplat(get(`user${user}`), 4 * pair)),
      range(groups).map((group) => add(user, group)),
    ]),
  ];
}

/** Turns sums into scores, and writes a record of each group with one that is high enough. */
function writeRecords(
  { groups }: Shape,
  { user, firstGroup }: { user: number; firstGroup: number },
): WasmCode {
  const ofRows = (part: number, group: number): WasmCode =>
    v128.loadShared(get('row'), 4 * (part * TILE + GROUP * (firstGroup + group)));
  const ofUser = (part: number): WasmCode => v128.loadSplat(get('levels'), user * LEVEL.bytes + part);
  const score = (group: number): WasmCode => get(nameSums(user, group));
  const upper = (group: number): WasmCode => f32x4.add(score(group), ofRows(BOUNDS, group));
  const reaches = (group: number): WasmCode => f32x4.isAtLeast(upper(group), ofUser(LEVEL.least));
  const leaveUnless = (reached: WasmCode): WasmCode => leaveIf(i32.isZero(v128.isAny(reached)));
  const store = (value: WasmCode, part: number): WasmCode => v128.store(get(`out${user}`), value, part);
  return [
    range(groups).map((group) => {
      const scaled = f32x4.multiply(f32x4.from(score(group)), ofRows(SCALES, group));
      return set(nameSums(user, group), f32x4.multiply(scaled, ofUser(LEVEL.scale)));
    }),
    block([
      leaveUnless(
        range(groups)
          .map(reaches)
          .reduce((one, other) => v128.or(one, other)),
      ),
      range(groups).map((group) =>
        block([
          leaveUnless(reaches(group)),
          store(f32x4.subtract(score(group), ofRows(BOUNDS, group)), RECORD.lower),
          store(upper(group), RECORD.upper),
          store(ofRows(ITEMS, group), RECORD.items),
          increase(`out${user}`, RECORD.bytes),
        ]),
      ),
    ]),
  ];
}
