import type { IdIndex } from '../domain/id-index.js';
import { type FeatureView, placesOf, rowWidthOf, widthOf } from './feature-view.js';

/** The memory of a feature table, which threads share. */
export interface TableParts {
  /** Row-major [entities × rowWidthOf(view)], defaults in place of missing values; an int32 field has all its 32 bits here. */
  readonly values: Float32Array;
  /** Row-major [entities × ⌈fields / 8⌉]: bit f % 8 of byte f / 8 says that field f has its default. */
  readonly defaulted: Uint8Array;
  /** Whether every value is there, so that no bit of `defaulted` is set. */
  readonly complete: boolean;
  /** Unix seconds since when rows are true: one number for all of them, or one per row where the view has an event time. */
  readonly eventTimes: number | Float64Array;
}

/** A feature view in memory. One row lies together, so that reading it costs one or two cache misses, not one per field. */
export class FeatureTable {
  readonly view: FeatureView;
  readonly entities: IdIndex;
  readonly parts: TableParts;
  readonly #width: number;
  readonly #defaultedBytes: number;
  readonly #isInt: readonly boolean[];
  readonly #ints: Int32Array;

  constructor(view: FeatureView, entities: IdIndex, parts: TableParts) {
    this.view = view;
    this.entities = entities;
    this.parts = parts;
    this.#width = rowWidthOf(view);
    this.#defaultedBytes = defaultedBytesOf(view);
    this.#isInt = view.fields.flatMap((field) => Array<boolean>(widthOf(field)).fill(field.type === 'int32'));
    this.#ints = intsOf(parts.values);
  }

  /** Bytes in memory: all of it lies in typed arrays. */
  get sizeBytes(): number {
    const { values, defaulted, eventTimes } = this.parts;
    const times = typeof eventTimes === 'number' ? 0 : eventTimes.byteLength;
    return values.byteLength + defaulted.byteLength + times + this.entities.sizeBytes;
  }

  /** Unix seconds of the newest row; undefined when there is no row. */
  get newestEventTime(): number | undefined {
    const { eventTimes } = this.parts;
    if (this.entities.size === 0) return undefined;
    if (typeof eventTimes === 'number') return eventTimes;
    return eventTimes.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY);
  }

  /**
   * The exact value, or the default that stands in for it.
   * @param place which number of the row: `placesOf(view)` says where fields begin
   */
  valueAt(row: number, place: number): number {
    const at = row * this.#width + place;
    return this.#isInt[place]! ? this.#ints[at]! : this.parts.values[at]!;
  }

  /** Whether the entity has no value of this field, so that its default stands there. */
  isDefaulted(row: number, field: number): boolean {
    return (this.parts.defaulted[row * this.#defaultedBytes + (field >> 3)]! & (1 << (field & 7))) !== 0;
  }

  /** Unix seconds since when the row is true. */
  eventTimeOf(row: number): number {
    const { eventTimes } = this.parts;
    return typeof eventTimes === 'number' ? eventTimes : eventTimes[row]!;
  }
}

/** Makes a feature table, value by value in any order. Every value of every row is to be set, or set to its default. */
export interface TableBuilder {
  /** Where the values go; a loader that knows better than `set` may write float32 into it. */
  readonly values: Float32Array;
  /** @param value within the type of the field that the place belongs to */
  set(row: number, place: number, value: number): void;
  /** Says that the entity has no value of this field. */
  setDefault(row: number, field: number): void;
  /** Only for a view with an event time. */
  setEventTime(row: number, seconds: number): void;
  /**
   * The table; the builder is not to be used after it.
   * @throws {RangeError} when there are not as many entities as rows
   */
  finish(entities: IdIndex): FeatureTable;
}

/** @param options.knownUntil Unix seconds of every row of a view without an event time */
export function createTableBuilder(
  view: FeatureView,
  rows: number,
  options: { knownUntil: number },
): TableBuilder {
  const width = rowWidthOf(view);
  const bytesPerRow = defaultedBytesOf(view);
  const values = new Float32Array(new SharedArrayBuffer(4 * rows * width));
  const ints = intsOf(values);
  const defaulted = new Uint8Array(new SharedArrayBuffer(rows * bytesPerRow));
  const times = view.eventTime === undefined ? undefined : new Float64Array(new SharedArrayBuffer(8 * rows));
  const places = placesOf(view);
  const targets = view.fields.flatMap((field) =>
    Array<Float32Array | Int32Array>(widthOf(field)).fill(field.type === 'int32' ? ints : values),
  );
  let complete = true;
  return {
    values,
    set: (row, place, value) => {
      targets[place]![row * width + place] = value;
    },
    setDefault: (row, field) => {
      complete = false;
      defaulted[row * bytesPerRow + (field >> 3)]! |= 1 << (field & 7);
      const start = row * width + places[field]!;
      targets[places[field]!]!.fill(view.fields[field]!.default, start, start + widthOf(view.fields[field]!));
    },
    setEventTime: (row, seconds) => {
      times![row] = seconds;
    },
    finish: (entities) => {
      if (entities.size !== rows) throw new RangeError(`${entities.size} entities for ${rows} rows`);
      return new FeatureTable(view, entities, {
        values,
        defaulted,
        complete,
        eventTimes: times ?? options.knownUntil,
      });
    },
  };
}

/** Bytes that the defaulted bits of one row take. */
export function defaultedBytesOf({ fields }: FeatureView): number {
  return Math.ceil(fields.length / 8);
}

/** The same memory as int32. */
function intsOf({ buffer, byteOffset, length }: Float32Array): Int32Array {
  return new Int32Array(buffer, byteOffset, length);
}
