import { vectorFile, type TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, type TensorReader } from '../bundle/tensor-reader.js';
import type { ItemLinks } from '../domain/item-links.js';

/** The tensors of item links: `offsets` [items + 1], `neighbours` and `similarities` [links]. */
export function itemLinksToTensors({ offsets, neighbours, similarities }: ItemLinks): TensorFile {
  return vectorFile({ offsets, neighbours, similarities });
}

/**
 * The links that a tensor file holds (that of `similar-items` too); the arrays are those of the file.
 * @param options.name what to call the file in errors
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing or of another type, lengths that do not
 * fit `itemCount`, offsets that descend, rows that do not ascend, items that the bundle does not have, weights that are 0
 * or not finite
 */
export function parseItemLinks(file: TensorFile, options: { itemCount: number; name: string }): ItemLinks {
  const reader = createTensorReader(options.name, file);
  const links = readItemLinks(reader, options.itemCount);
  reader.finish();
  return links;
}

/** The same for who reads more of the file: problems are left to `reader.finish`. */
export function readItemLinks(reader: TensorReader, itemCount: number): ItemLinks {
  const links: ItemLinks = {
    offsets: reader.uint32('offsets', [itemCount + 1]),
    neighbours: reader.int32('neighbours', [null]),
    similarities: reader.float32('similarities', [null]),
  };
  if (reader.isSound()) for (const problem of findLinkProblems(links)) reader.report(problem);
  return links;
}

function findLinkProblems({ offsets, neighbours, similarities }: ItemLinks): string[] {
  const problems: string[] = [];
  const itemCount = offsets.length - 1;
  const drop = offsets.findIndex((offset, row) => row > 0 && offset < offsets[row - 1]!);
  if (offsets[0] !== 0) problems.push(`offsets: start at ${offsets[0]}, expected 0`);
  if (drop !== -1) problems.push(`offsets: fall from ${offsets[drop - 1]} to ${offsets[drop]} at ${drop}`);
  if (offsets[itemCount] !== neighbours.length) {
    problems.push(`neighbours: ${neighbours.length} entries, but the offsets end at ${offsets[itemCount]}`);
  }
  if (similarities.length !== neighbours.length) {
    problems.push(`similarities: ${similarities.length} entries for ${neighbours.length} neighbours`);
  }
  const outside = neighbours.find((item) => item < 0 || item >= itemCount);
  if (outside !== undefined) problems.push(`neighbours: item ${outside} is not one of ${itemCount} items`);
  const unsorted = problems.length === 0 ? findUnsortedRow(offsets, neighbours) : -1;
  if (unsorted !== -1) problems.push(`neighbours: the row of item ${unsorted} is not ascending`);
  const zero = similarities.indexOf(0);
  if (zero !== -1) problems.push(`similarities: entry ${zero} is 0, which says nothing`);
  return problems;
}

function findUnsortedRow(offsets: Uint32Array, neighbours: Int32Array): number {
  for (let row = 0; row + 1 < offsets.length; row++) {
    for (let entry = offsets[row]! + 1; entry < offsets[row + 1]!; entry++) {
      if (neighbours[entry]! <= neighbours[entry - 1]!) return row;
    }
  }
  return -1;
}
