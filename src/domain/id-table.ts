import { isUtf8 } from 'node:buffer';

/**
 * Raw ids by row, and the way back by an open-addressing hash over their bytes: typed arrays only, in memory that threads
 * share. Per id it takes its bytes, 4 for where they begin and 6 of slots; a million ids of 13 letters are 23
 * each; as JavaScript strings in an array and a Map they were 69.
 */
export interface IdTable {
  /** The ids one after the other, in UTF-8; lone surrogates as UTF-8 would write them, so that every text is its own. */
  readonly bytes: Uint8Array;
  /** Where the id of each row begins in `bytes`, then where the last one ends. */
  readonly offsets: Uint32Array;
  /**
   * Row + 1 at the hash of its id or at the next free place after it; 0 is free. One in three is free. Bits that no row
   * needs hold the first bits of the hash, so that hardly ever another id has to be looked at.
   */
  readonly slots: Uint32Array;
}

/** Makes an id table row by row. */
export interface IdTableBuilder {
  /** Takes the next row for an id, and gives the first row that has it: another one when the id is there already. */
  add(id: string): number;
  /** The same for an id in UTF-8, which need not become a string; -1 where it is not UTF-8, and the row is taken for nothing. */
  addUtf8(id: Uint8Array): number;
  /** Takes the next row for nothing that can be found. */
  skip(): void;
  /** The table of the rows so far; the builder is not to be used after it. */
  finish(): IdTable;
}

/** @param rows as many rows as are ever added */
export function createIdTableBuilder(rows: number): IdTableBuilder {
  const offsets = new Uint32Array(new SharedArrayBuffer(4 * (rows + 1)));
  const slots = new Uint32Array(new SharedArrayBuffer(4 * (Math.ceil(1.5 * rows) + 1)));
  let bytes = new Uint8Array(16 * rows);
  let row = 0;

  function append(length: number): void {
    const end = offsets[row]! + length;
    if (end > bytes.length) bytes = enlarge(bytes, Math.max(end, 2 * bytes.length));
    bytes.set(scratch.subarray(0, length), offsets[row]);
    offsets[++row] = end;
  }

  /** Adds the id that lies in `scratch`. */
  function addEncoded(length: number): number {
    const hash = hashScratch(length);
    const slot = findSlot({ bytes, offsets, slots }, { length, hash });
    const known = slots[slot]!;
    append(known === 0 ? length : 0);
    if (known !== 0) return (known & rowMask(slots)) - 1;
    slots[slot] = row | (hash & ~rowMask(slots));
    return row - 1;
  }

  return {
    add: (id) => addEncoded(encode(id)),
    addUtf8: (id) => {
      if (copyToScratch(id) || isUtf8(id)) return addEncoded(id.length);
      append(0);
      return -1;
    },
    skip: () => append(0),
    finish: () => {
      const shared = new Uint8Array(new SharedArrayBuffer(offsets[row]!));
      shared.set(bytes.subarray(0, shared.length));
      return { bytes: shared, offsets: offsets.subarray(0, row + 1), slots };
    },
  };
}

/** The row of an id, or -1 when the table does not have it. */
export function findRow(table: IdTable, id: string): number {
  const length = encode(id);
  return (table.slots[findSlot(table, { length, hash: hashScratch(length) })]! & rowMask(table.slots)) - 1;
}

/** The first row at which two tables do not have the same id, or -1 when they have the same ids in the same order. */
export function findDifference(left: IdTable, right: IdTable): number {
  const rows = Math.max(left.offsets.length, right.offsets.length) - 1;
  for (let row = 0; row < rows; row++) {
    const end = left.offsets[row + 1];
    // Ids before this row are the same, so that both begin at the same byte.
    if (end === undefined || end !== right.offsets[row + 1]) return row;
    for (let at = left.offsets[row]!; at < end; at++) if (left.bytes[at] !== right.bytes[at]) return row;
  }
  return -1;
}

/** The id that is being looked for, encoded: nothing here waits, so that one is enough. */
let scratch = new Uint8Array(1024);

/** Writes an id into `scratch`; gives its length. By hand, because TextEncoder makes all lone surrogates the same. */
function encode(id: string): number {
  if (3 * id.length > scratch.length) scratch = new Uint8Array(6 * id.length);
  let length = 0;
  for (let at = 0; at < id.length; at++) {
    let code = id.charCodeAt(at);
    if (code < 0x80) {
      scratch[length++] = code;
      continue;
    }
    if (code < 0x800) {
      scratch[length++] = 0xc0 | (code >> 6);
    } else {
      code = id.codePointAt(at)!;
      if (code > 0xffff) {
        at++;
        scratch[length++] = 0xf0 | (code >> 18);
        scratch[length++] = 0x80 | ((code >> 12) & 63);
      } else {
        scratch[length++] = 0xe0 | (code >> 12);
      }
      scratch[length++] = 0x80 | ((code >> 6) & 63);
    }
    scratch[length++] = 0x80 | (code & 63);
  }
  return length;
}

/** Writes an id into `scratch`; true when all of it is ASCII, as almost every id is, so that nobody need look again. */
function copyToScratch(id: Uint8Array): boolean {
  if (id.length > scratch.length) scratch = new Uint8Array(2 * id.length);
  let bits = 0;
  for (let at = 0; at < id.length; at++) bits |= scratch[at] = id[at]!;
  return bits < 0x80;
}

/** The slot of the id in `scratch`, or the free one that it would get. */
function findSlot(
  { bytes, offsets, slots }: IdTable,
  { length, hash }: { length: number; hash: number },
): number {
  const mask = rowMask(slots);
  let slot = hash % slots.length;
  for (;;) {
    const found = slots[slot]!;
    if (found === 0) return slot;
    const row = (found & mask) - 1;
    const isAlike = ((found ^ hash) & ~mask) === 0;
    if (isAlike && isAt(bytes, { start: offsets[row]!, end: offsets[row + 1]!, length })) return slot;
    slot = slot + 1 === slots.length ? 0 : slot + 1;
  }
}

/** The bits of a slot that hold its row: there are more slots than rows. */
function rowMask(slots: Uint32Array): number {
  return 2 ** (32 - Math.clz32(slots.length)) - 1;
}

function isAt(
  bytes: Uint8Array,
  { start, end, length }: { start: number; end: number; length: number },
): boolean {
  if (end - start !== length) return false;
  for (let at = 0; at < length; at++) if (bytes[start + at] !== scratch[at]) return false;
  return true;
}

/** FNV-1a, then the end of MurmurHash3 so that ids that differ in their last digit lie apart. */
function hashScratch(length: number): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < length; at++) value = Math.imul(value ^ scratch[at]!, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function enlarge(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}
