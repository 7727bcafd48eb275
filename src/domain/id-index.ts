import { createIdTableBuilder, findDifference, findRow, findRowsOfHash, type IdTable } from './id-table.js';

/**
 * The entities of one kind (items or users) in a fixed order: index ↔ raw id.
 * Everything inside Shortlist speaks of entities by index; raw ids appear only at the edges.
 */
export class IdIndex {
  /** What other threads can make the same index of. */
  readonly table: IdTable;
  #ids: readonly string[] | undefined;

  /**
   * @param ids texts, or the table that another index was made of
   * @throws {RangeError} when an id occurs twice, naming it.
   */
  constructor(ids: readonly string[] | IdTable) {
    if ('slots' in ids) {
      this.table = ids;
    } else {
      this.table = createTable(ids);
      this.#ids = ids;
    }
  }

  /** All raw ids by index: made of the table when they are first asked for, which takes 0.2 s for a million of them. */
  get ids(): readonly string[] {
    this.#ids ??= Array.from({ length: this.size }, (_, index) => decode(this.table, index));
    return this.#ids;
  }

  get size(): number {
    return this.table.offsets.length - 1;
  }

  /** What it holds in typed arrays. */
  get sizeBytes(): number {
    const { bytes, offsets, slots } = this.table;
    return bytes.byteLength + offsets.byteLength + slots.byteLength;
  }

  /** The index of a raw id, or -1 when the id is unknown. */
  find(id: string): number {
    return findRow(this.table, id);
  }

  /** The indexes of the ids with this `hashId`, hardly ever more than one. */
  findHash(hash: number): readonly number[] {
    return findRowsOfHash(this.table, hash);
  }

  /** The raw id at an index that this index gave out. */
  idAt(index: number): string {
    if (!(index >= 0 && index < this.size)) throw new RangeError(`no id at index ${index} of ${this.size}`);
    return this.#ids?.[index] ?? decode(this.table, index);
  }

  /** The first index at which the other has another id or none, or the other way round; -1 when both are the same. */
  findDifference(other: IdIndex): number {
    return findDifference(this.table, other.table);
  }
}

/**
 * Raw ids in catalogue order: numeric when every id is a whole number without leading zeros, else by code unit.
 * Ties between equal scores are broken by this order, in evaluation and in serving.
 */
export function sortRawIds(ids: Iterable<string>): string[] {
  const sorted = [...ids];
  const numeric = sorted.every((id) => /^(0|[1-9]\d{0,14})$/.test(id));
  return numeric
    ? sorted.sort((a, b) => Number(a) - Number(b))
    : sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function createTable(ids: readonly string[]): IdTable {
  const builder = createIdTableBuilder(ids.length);
  ids.forEach((id, index) => {
    if (builder.add(id) !== index) throw new RangeError(`duplicate id ${id}`);
  });
  return builder.finish();
}

function decode({ bytes, offsets }: IdTable, index: number): string {
  const start = offsets[index]!;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, offsets[index + 1]! - start).toString();
}
