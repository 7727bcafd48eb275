import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type FeatureView, rowWidthOf, widthOf } from './feature-view.js';
import type { KeySpace } from './redis-keys.js';

/** Why bytes are not a row of the view: damaged or cut, or written for other fields than the view has now, or for another dataset. */
export type RowFault = 'corrupt' | 'other_schema';

/**
 * The compact form of one entity's row: `SR`, format (1 byte), 0, schema hash (8), event time (8, big-endian double, Unix
 * seconds), missing bitmap (1 bit per field), values (little-endian int32 for an int32 field, else float32; a vector's
 * components one after another), CRC-32 (4) of all before it. 24 bytes, ⅛ per field and 4 per number.
 */
export interface RowCodec {
  readonly rowBytes: number;
  /** Hex of the schema hash: equal for rows that mean the same. */
  readonly schema: string;
  /**
   * @param values one per place of the row, in float64 so that an int32 keeps its 32 bits; NaN in the first place of a
   * field that has no value, else finite as the field's type
   */
  encode(values: ArrayLike<number>, eventTime: number): Buffer;
  /** Undefined for a row of this view; the functions below take no other. */
  findFault(bytes: Buffer): RowFault | undefined;
  /** Unix seconds. */
  eventTimeOf(bytes: Buffer): number;
  isMissing(bytes: Buffer, field: number): boolean;
  /** @param place which number of the row: `placesOf(view)` says where fields begin */
  valueAt(bytes: Buffer, place: number): number;
}

/** Bytes before the event time: what two rows of one view have in common. */
export const ROW_PREFIX_BYTES = 12;

const PREFIX = Buffer.from([0x53, 0x52, 1, 0]);
const BITMAP_START = ROW_PREFIX_BYTES + 8;
const CHECKSUM_BYTES = 4;

/** @param dataset whose rows they are: those of another one are of another schema */
export function createRowCodec(view: FeatureView, { dataset }: Pick<KeySpace, 'dataset'>): RowCodec {
  const width = rowWidthOf(view);
  const valuesStart = BITMAP_START + Math.ceil(view.fields.length / 8);
  const checksumStart = valuesStart + 4 * width;
  const rowBytes = checksumStart + CHECKSUM_BYTES;
  const schema = hashSchema(view, dataset);
  const prefix = Buffer.concat([PREFIX, schema]);
  const fieldAt = view.fields.flatMap((field, index) => Array<number>(widthOf(field)).fill(index));
  const isInt = fieldAt.map((field) => view.fields[field]!.type === 'int32');

  const isMissing = (bytes: Buffer, field: number): boolean =>
    (bytes[BITMAP_START + (field >> 3)]! & (1 << (field & 7))) !== 0;

  function encode(values: ArrayLike<number>, eventTime: number): Buffer {
    const bytes = Buffer.alloc(rowBytes);
    prefix.copy(bytes);
    bytes.writeDoubleBE(eventTime, ROW_PREFIX_BYTES);
    for (let place = 0; place < width; place++) {
      const value = values[place]!;
      const field = fieldAt[place]!;
      if (Number.isNaN(value)) bytes[BITMAP_START + (field >> 3)]! |= 1 << (field & 7);
      else if (isInt[place]!) bytes.writeInt32LE(value, valuesStart + 4 * place);
      else bytes.writeFloatLE(value, valuesStart + 4 * place);
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
    for (let place = 0; place < width; place++) {
      if (!isInt[place]! && !Number.isFinite(bytes.readFloatLE(valuesStart + 4 * place))) return 'corrupt';
    }
    return Number.isFinite(bytes.readDoubleBE(ROW_PREFIX_BYTES)) ? undefined : 'corrupt';
  }

  return {
    rowBytes,
    schema: schema.toString('hex'),
    encode,
    findFault,
    eventTimeOf: (bytes) => bytes.readDoubleBE(ROW_PREFIX_BYTES),
    isMissing,
    valueAt: (bytes, place) => {
      const at = valuesStart + 4 * place;
      return isInt[place]! ? bytes.readInt32LE(at) : bytes.readFloatLE(at);
    },
  };
}

/** The meaning of the bytes of a row. Defaults are not in it: a row says which values are missing, not what stands in for them. */
function hashSchema({ entity, fields }: FeatureView, dataset: string): Buffer {
  const meaning = fields.map(({ name, type, length, dictionary }) => [
    name,
    type,
    length ?? 1,
    dictionary ?? [],
  ]);
  return createHash('sha256')
    .update(JSON.stringify([dataset, entity, meaning]))
    .digest()
    .subarray(0, 8);
}
