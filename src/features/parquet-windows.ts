import type { ColumnChunk, FileMetaData } from 'hyparquet';

/** Bytes of a parquet file that hold some of its row groups whole. */
export interface ParquetWindow {
  readonly start: number;
  readonly end: number;
  /** Row groups from this one to before `endGroup`. */
  readonly firstGroup: number;
  readonly endGroup: number;
}

/**
 * Windows of as few row groups as possible, from front to back: one for each where row groups follow each other, as every
 * known writer has them. A file that is laid out in another way is one window.
 * @param dataEnd where the footer begins
 */
export function planWindows({ row_groups: groups }: FileMetaData, dataEnd: number): ParquetWindow[] {
  const windows: ParquetWindow[] = [];
  let position = 0;
  for (const [index, { num_rows: rows, columns }] of groups.entries()) {
    if (Number(rows) === 0) return [{ start: 0, end: dataEnd, firstGroup: 0, endGroup: groups.length }];
    const chunks = columns.map(locateChunk);
    const window = {
      start: Math.min(...chunks.map(({ start }) => start)),
      end: Math.max(...chunks.map(({ end }) => end)),
      firstGroup: index,
      endGroup: index + 1,
    };
    const follows = window.start >= position && window.end >= window.start && window.end <= dataEnd;
    if (!follows) return [{ start: 0, end: dataEnd, firstGroup: 0, endGroup: groups.length }];
    windows.push(window);
    position = window.end;
  }
  return windows;
}

/** The bytes of the file that a column chunk takes. */
export function locateChunk({ meta_data: meta }: ColumnChunk): { start: number; end: number } {
  const start = Number(meta?.dictionary_page_offset || meta?.data_page_offset);
  return { start, end: start + Number(meta?.total_compressed_size) };
}
