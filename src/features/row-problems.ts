/** Collects what is wrong with the rows of one column, one sentence per kind, however many rows have it. */
export interface RowProblems {
  /** @param row 0-based; sentences count rows from 1 */
  add(kind: string, row: number, what: string): void;
  /** "column year, row 3: Infinity is not finite (and 2 more rows)" */
  list(): string[];
}

/** @param column named in every sentence */
export function createRowProblems(column: string): RowProblems {
  const kinds = new Map<string, { first: string; more: number }>();
  return {
    add(kind, row, what) {
      const known = kinds.get(kind);
      if (known === undefined)
        kinds.set(kind, { first: `column ${column}, row ${row + 1}: ${what}`, more: 0 });
      else known.more++;
    },
    list: () =>
      [...kinds.values()].map(({ first, more }) =>
        more === 0 ? first : `${first} (and ${more} more row${more === 1 ? '' : 's'})`,
      ),
  };
}
