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
   * needs hold the last bits of the hash, so that hardly ever another id has to be looked at.
   */
  readonly slots: Uint32Array;
}

/** Texts in UTF-8 that lie among other bytes: text i from `starts[i]` to before `ends[i]`. */
export interface PackedTexts {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Makes an id table row by row. */
export interface IdTableBuilder {
  /** Takes the next row for an id, and gives the first row that has it: another one when the id is there already. */
  add(id: string): number;
  /**
   * The same for many ids in UTF-8, which need not become strings, in less than half the time; -1 for one that is not UTF-8,
   * whose row is taken for nothing.
   */
  addAll(ids: PackedTexts): Int32Array;
  /** The table of the rows so far; the builder is not to be used after it. */
  finish(): IdTable;
}

/** @param rows as many rows as are ever added */
export function createIdTableBuilder(rows: number): IdTableBuilder {
  const offsets = new Uint32Array(new SharedArrayBuffer(4 * (rows + 1)));
  const slots = new Uint32Array(new SharedArrayBuffer(4 * (Math.ceil(1.5 * rows) + 1)));
  let bytes = new Uint8Array(16 * rows);
  let row = 0;

  /** Where the next id is to be written, with room for so many bytes. */
  function reserve(length: number): number {
    const start = offsets[row]!;
    if (start + length > bytes.length) bytes = enlarge(bytes, Math.max(start + length, 2 * bytes.length));
    return start;
  }

  /** Adds the id that is written from where the last one ends: kept there if it is new. */
  function addWritten(end: number, hash: number): number {
    const start = offsets[row]!;
    const slot = findSlot({ bytes, offsets, slots }, { bytes, start, end, hash });
    const known = slots[slot]!;
    offsets[++row] = known === 0 ? end : start;
    if (known !== 0) return (known & rowMask(slots)) - 1;
    slots[slot] = row | tagOf(hash, slots);
    return row - 1;
  }

  function addUtf8(text: Uint8Array, { from, to, hash }: { from: number; to: number; hash: number }): number {
    const start = reserve(to - from);
    const end = start + to - from;
    // All of almost every id is ASCII, and nobody need look again whether it is UTF-8.
    const isText = copyBytes(text, from, { bytes, start, end }) < 0x80 || isUtf8(bytes.subarray(start, end));
    if (isText) return addWritten(end, hash);
    offsets[++row] = start;
    return -1;
  }

  return {
    add: (id) => {
      const start = reserve(MAX_BYTES_PER_UNIT * id.length);
      const end = encode(id, bytes, start);
      return addWritten(end, hashOf(bytes, start, end));
    },
    addAll: ({ bytes: text, starts, ends }) => {
      const rows = new Int32Array(starts.length);
      const hashes = new Int32Array(BATCH);
      const heads = new Uint32Array(BATCH);
      for (let first = 0; first < rows.length; first += BATCH) {
        const count = Math.min(BATCH, rows.length - first);
        for (let at = 0; at < count; at++) hashes[at] = hashOf(text, starts[first + at]!, ends[first + at]!);
        // Nothing is done with them: asked for all at once, they come from memory together and not one after the other.
        for (let at = 0; at < count; at++) heads[at] = slots[headOf(hashes[at]!, slots)]!;
        for (let at = 0; at < count; at++) {
          const range = { from: starts[first + at]!, to: ends[first + at]!, hash: hashes[at]! };
          rows[first + at] = addUtf8(text, range);
        }
      }
      return rows;
    },
    finish: () => {
      const shared = new Uint8Array(new SharedArrayBuffer(offsets[row]!));
      shared.set(bytes.subarray(0, shared.length));
      return { bytes: shared, offsets: offsets.subarray(0, row + 1), slots };
    },
  };
}

/** The row of an id, or -1 when the table does not have it. */
export function findRow(table: IdTable, id: string): number {
  const end = encodeScratch(id);
  const hash = hashOf(scratch, 0, end);
  const slot = findSlot(table, { bytes: scratch, start: 0, end, hash });
  return (table.slots[slot]! & rowMask(table.slots)) - 1;
}

/**
 * 32 bits of an id, evenly spread, the same in every process and release: cursors carry them.
 * @returns from 0 to below 2^32
 */
export function hashId(id: string): number {
  return hashOf(scratch, 0, encodeScratch(id)) >>> 0;
}

/** The rows whose ids have this `hashId`: one or none, and two where two ids happen to have the same. */
export function findRowsOfHash(table: IdTable, hash: number): number[] {
  const { bytes, offsets, slots } = table;
  const mask = rowMask(slots);
  const tag = tagOf(hash, slots);
  const rows: number[] = [];
  // All ids of one hash lie between its slot and the next free one.
  for (let slot = headOf(hash, slots); slots[slot] !== 0; slot = nextSlot(slot, slots)) {
    if (((slots[slot]! ^ tag) & ~mask) !== 0) continue;
    const row = (slots[slot]! & mask) - 1;
    if (hashOf(bytes, offsets[row]!, offsets[row + 1]!) === (hash | 0)) rows.push(row);
  }
  return rows;
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

/** Encodes an id there; gives where it ends. */
function encodeScratch(id: string): number {
  if (MAX_BYTES_PER_UNIT * id.length > scratch.length) scratch = new Uint8Array(6 * id.length);
  return encode(id, scratch, 0);
}

/** Ids whose slots are fetched at a time: few enough that all of them stay in the processor's cache. */
const BATCH = 1024;

/** Of UTF-8, for each unit of UTF-16. */
const MAX_BYTES_PER_UNIT = 3;

/** An id in UTF-8 somewhere. */
interface EncodedId {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** Writes an id in UTF-8; gives where it ends. By hand, because TextEncoder makes all lone surrogates the same. */
function encode(id: string, target: Uint8Array, start: number): number {
  let end = start;
  for (let at = 0; at < id.length; at++) {
    let code = id.charCodeAt(at);
    if (code < 0x80) {
      target[end++] = code;
      continue;
    }
    if (code < 0x800) {
      target[end++] = 0xc0 | (code >> 6);
    } else {
      code = id.codePointAt(at)!;
      if (code > 0xffff) {
        at++;
        target[end++] = 0xf0 | (code >> 18);
        target[end++] = 0x80 | ((code >> 12) & 63);
      } else {
        target[end++] = 0xe0 | (code >> 12);
      }
      target[end++] = 0x80 | ((code >> 6) & 63);
    }
    target[end++] = 0x80 | (code & 63);
  }
  return end;
}

/** Copies so few bytes that a loop is faster than a call; gives all of their bits, or-ed. */
function copyBytes(from: Uint8Array, first: number, { bytes, start, end }: EncodedId): number {
  let bits = 0;
  for (let at = start, source = first; at < end; at++, source++) bits |= bytes[at] = from[source]!;
  return bits;
}

/** The slot of an id, or the free one that it would get. */
function findSlot({ bytes, offsets, slots }: IdTable, id: EncodedId & { hash: number }): number {
  const mask = rowMask(slots);
  const tag = tagOf(id.hash, slots);
  let slot = headOf(id.hash, slots);
  for (;;) {
    const found = slots[slot]!;
    if (found === 0) return slot;
    const row = (found & mask) - 1;
    const isAlike = ((found ^ tag) & ~mask) === 0;
    if (isAlike && isAt(bytes, { start: offsets[row]!, end: offsets[row + 1]! }, id)) return slot;
    slot = nextSlot(slot, slots);
  }
}

/** The slot to look at first. */
function headOf(hash: number, slots: Uint32Array): number {
  // A remainder of numbers beyond int32 takes ten times as long.
  return Math.floor(((hash >>> 0) / 2 ** 32) * slots.length);
}

function nextSlot(slot: number, { length }: Uint32Array): number {
  return slot + 1 === length ? 0 : slot + 1;
}

/** The bits of a slot that hold its row: there are more slots than rows. */
function rowMask({ length }: Uint32Array): number {
  return 0xffffffff >>> Math.clz32(length);
}

/** The last bits of a hash, where a slot keeps them; its first ones say which slot. */
function tagOf(hash: number, slots: Uint32Array): number {
  return (hash << (32 - Math.clz32(slots.length))) & ~rowMask(slots);
}

function isAt(bytes: Uint8Array, { start, end }: { start: number; end: number }, id: EncodedId): boolean {
  if (end - start !== id.end - id.start) return false;
  for (let at = start, other = id.start; at < end; at++, other++) {
    if (bytes[at] !== id.bytes[other]) return false;
  }
  return true;
}

/** FNV-1a, then the end of MurmurHash3 so that ids that differ in their last digit lie apart. Cursors rely on it: another one is another format. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let at = start; at < end; at++) value = Math.imul(value ^ bytes[at]!, 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16); // signed: what is beyond int32 would be an object of its own
}

function enlarge(bytes: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(bytes);
  return larger;
}
