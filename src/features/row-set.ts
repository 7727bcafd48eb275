/** A set of rows as one bit per row, in memory that threads share. */
export class RowSet {
  /** Bit r % 8 of byte r / 8 is row r. */
  readonly bytes: Uint8Array;
  #size: number;

  /**
   * @param rows how many rows there are, of which none is in the set
   * @param parts what another thread made of as many rows
   */
  constructor(rows: number, parts: RowSetParts = { bytes: allocate(rows), size: 0 }) {
    this.bytes = parts.bytes;
    this.#size = parts.size;
  }

  /** How many rows are in the set. */
  get size(): number {
    return this.#size;
  }

  has(row: number): boolean {
    return (this.bytes[row >> 3]! & (1 << (row & 7))) !== 0;
  }

  /** Adds a row that is not in the set yet. */
  add(row: number): void {
    this.bytes[row >> 3]! |= 1 << (row & 7);
    this.#size++;
  }
}

/** A row set as it goes from thread to thread. */
export interface RowSetParts {
  readonly bytes: Uint8Array;
  readonly size: number;
}

function allocate(rows: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(Math.ceil(rows / 8)));
}
