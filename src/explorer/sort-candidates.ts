import type { Candidate } from './contract.js';

/** What the table of candidates can be sorted by; `source als` is the rank in `als`. */
export type CandidateColumn = 'rankedAt' | 'shownAt' | 'title' | 'score' | 'fusion' | `source ${string}`;

/** The candidates that have a text in their title or id, in order of a column; those without a value there come last. */
export function sortCandidates(
  candidates: readonly Candidate[],
  { column, isDown }: { readonly column: CandidateColumn; readonly isDown: boolean },
  text = '',
): Candidate[] {
  const wanted = text.trim().toLowerCase();
  const found = candidates.filter(
    ({ itemId, title = '' }) =>
      wanted === '' || itemId.toLowerCase().includes(wanted) || title.toLowerCase().includes(wanted),
  );
  const sign = isDown ? -1 : 1;
  return found.sort((one, other) => {
    const [left, right] = [valueOf(one, column), valueOf(other, column)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    if (typeof left === 'string') return sign * left.localeCompare(String(right));
    return sign * (left - Number(right)) || one.rankedAt - other.rankedAt;
  });
}

function valueOf(candidate: Candidate, column: CandidateColumn): number | string | undefined {
  if (column === 'title') return candidate.title ?? candidate.itemId;
  if (column === 'rankedAt' || column === 'shownAt' || column === 'score' || column === 'fusion')
    return candidate[column];
  return candidate.ranks[column.slice('source '.length)];
}
