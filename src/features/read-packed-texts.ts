import type { ColumnChunk, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { PackedTexts } from '../domain/id-table.js';

/** True for a column chunk whose texts may all lie one after the other: neither compressed nor nullable. */
export function isPacked({ element }: SchemaTree, { meta_data: meta }: ColumnChunk): boolean {
  const isText = element.type === 'BYTE_ARRAY' && element.converted_type === 'UTF8';
  return isText && element.repetition_type === 'REQUIRED' && meta?.codec === 'UNCOMPRESSED';
}

/**
 * Finds the texts of such a column chunk without making an object of each. Undefined when they are not all in one page, or
 * not as they are, which is for a reader of every layout.
 * @throws RangeError when they are longer than the chunk
 */
export function readPackedTexts(chunk: ArrayBuffer, rows: number): PackedTexts | undefined {
  const view = new DataView(chunk);
  const reader = { view, offset: 0 };
  const { data_page_header: v1, data_page_header_v2: v2 } = parquetHeader(reader);
  const page = v1 ?? v2;
  if (page?.encoding !== 'PLAIN' || page.num_values !== rows) return undefined;
  const starts = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  let end = reader.offset;
  for (let row = 0; row < rows; row++) {
    const start = end + 4;
    end = start + view.getUint32(end, true);
    starts[row] = start;
    ends[row] = end;
  }
  return end === chunk.byteLength ? { bytes: new Uint8Array(chunk), starts, ends } : undefined;
}
