import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { FeatureView } from './feature-view.js';

/** Why bytes are not a row of the view: damaged or cut, or written for other fields than the view has now. */
export type RowFault = 'corrupt' | 'other_schema';

/**
 * The compact form of one entity's row: `SR`, format (1 byte), 0, schema hash (8), event time (8, big-endian double, Unix
 * seconds), missing bitmap (1 bit per field), values (little-endian float32), CRC-32 (4) of all before it.
 * 24 bytes and 4⅛ per field.
 */
export interface RowCodec {
  readonly rowBytes: number;
  /** @param values one per field of the view; NaN where there is none, else finite as float32 */
  encode(values: ArrayLike<number>, eventTime: number): Buffer;
  /** Undefined for a row of this view; the functions below take no other. */
  findFault(bytes: Buffer): RowFault | undefined;
  /** Unix seconds. */
  eventTimeOf(bytes: Buffer): number;
  /** NaN where the row has no value. */
  valueAt(bytes: Buffer, field: number): number;
}

/** Bytes before the event time: what two rows of one view have in common. */
export const ROW_PREFIX_BYTES = 12;

const PREFIX = Buffer.from([0x53, 0x52, 1, 0]);
const BITMAP_START = ROW_PREFIX_BYTES + 8;
const CHECKSUM_BYTES = 4;

export function createRowCodec(view: FeatureView): RowCodec {
  const fields = view.fields.length;
  const valuesStart = BITMAP_START + Math.ceil(fields / 8);
  const checksumStart = valuesStart + 4 * fields;
  const rowBytes = checksumStart + CHECKSUM_BYTES;
  const prefix = Buffer.concat([PREFIX, hashSchema(view)]);

  const isMissing = (bytes: Buffer, field: number): boolean =>
    (bytes[BITMAP_START + (field >> 3)]! & (1 << (field & 7))) !== 0;

  function encode(values: ArrayLike<number>, eventTime: number): Buffer {
    const bytes = Buffer.alloc(rowBytes);
    prefix.copy(bytes);
    bytes.writeDoubleBE(eventTime, ROW_PREFIX_BYTES);
    for (let field = 0; field < fields; field++) {
      const value = values[field]!;
      if (Number.isNaN(value)) bytes[BITMAP_START + (field >> 3)]! |= 1 << (field & 7);
      else bytes.writeFloatLE(value, valuesStart + 4 * field);
    }
    bytes.writeUInt32LE(crc32(bytes.subarray(0, checksumStart)), checksumStart);
    return bytes;
  }

  function findFault(bytes: Buffer): RowFault | undefined {
    if (bytes.length < ROW_PREFIX_BYTES || !bytes.subarray(0, 2).equals(prefix.subarray(0, 2)))
      return 'corrupt';
    if (!bytes.subarray(0, ROW_PREFIX_BYTES).equals(prefix)) return 'other_schema';
    if (bytes.length !== rowBytes) return 'corrupt';
    if (bytes.readUInt32LE(checksumStart) !== crc32(bytes.subarray(0, checksumStart))) return 'corrupt';
    for (let field = 0; field < fields; field++) {
      if (!Number.isFinite(bytes.readFloatLE(valuesStart + 4 * field))) return 'corrupt';
    }
    return Number.isFinite(bytes.readDoubleBE(ROW_PREFIX_BYTES)) ? undefined : 'corrupt';
  }

  return {
    rowBytes,
    encode,
    findFault,
    eventTimeOf: (bytes) => bytes.readDoubleBE(ROW_PREFIX_BYTES),
    valueAt: (bytes, field) =>
      isMissing(bytes, field) ? Number.NaN : bytes.readFloatLE(valuesStart + 4 * field),
  };
}

/** The meaning of the bytes of a row. Defaults are not in it: a row says which values are missing, not what stands in for them. */
function hashSchema({ entity, fields }: FeatureView): Buffer {
  const meaning = fields.map(({ name, type, dictionary }) => [name, type, dictionary ?? []]);
  return createHash('sha256')
    .update(JSON.stringify([entity, meaning]))
    .digest()
    .subarray(0, 8);
}
