import type { Tensor, TensorFile } from '../bundle/tensor-file.js';
import { ShortlistError } from '../domain/errors.js';
import type { ItemLinks } from '../domain/item-links.js';

/** The tensors of item links: `offsets` [items + 1], `neighbours` and `similarities` [links]. */
export function itemLinksToTensors({ offsets, neighbours, similarities }: ItemLinks): TensorFile {
  const vectors = Object.entries({ offsets, neighbours, similarities });
  return {
    tensors: new Map(vectors.map(([name, data]): [string, Tensor] => [name, { shape: [data.length], data }])),
    metadata: {},
  };
}

/**
 * The links that a tensor file holds (that of `similar-items` too); the arrays are those of the file.
 * @param options.name what to call the file in errors
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing or of another type, lengths that do not
 * fit `itemCount`, offsets that descend, items that the bundle does not have, weights that are not above 0
 */
export function parseItemLinks(file: TensorFile, options: { itemCount: number; name: string }): ItemLinks {
  const problems: string[] = [];
  const vectorOf = <T extends Tensor['data']>(name: string, type: new () => T): T => {
    const data = file.tensors.get(name)?.data;
    if (data instanceof type) return data;
    problems.push(`it has no tensor ${name} of type ${type.name}`);
    return new type();
  };
  const links = {
    offsets: vectorOf('offsets', Uint32Array),
    neighbours: vectorOf('neighbours', Int32Array),
    similarities: vectorOf('similarities', Float32Array),
  };
  if (problems.length === 0) problems.push(...findLinkProblems(links, options.itemCount));
  if (problems.length === 0) return links;
  throw new ShortlistError('INVALID_BUNDLE', `${options.name} does not hold sound item links`, {
    problems: problems.map((problem) => `${options.name}: ${problem}`),
  });
}

function findLinkProblems({ offsets, neighbours, similarities }: ItemLinks, itemCount: number): string[] {
  const problems: string[] = [];
  if (offsets.length !== itemCount + 1) {
    problems.push(`offsets has ${offsets.length} values, ${itemCount} items need ${itemCount + 1}`);
  }
  const end = offsets.at(-1);
  for (const [name, { length }] of Object.entries({ neighbours, similarities })) {
    if (length !== end) problems.push(`${name} has ${length} values, offsets end at ${end}`);
  }
  const descent = offsets.findIndex((offset, item) => offset < (offsets[item - 1] ?? 0));
  if (descent >= 0) problems.push(`offsets descend at ${descent}`);
  const outside = neighbours.find((item) => item < 0 || item >= itemCount);
  if (outside !== undefined) problems.push(`item ${outside} is not one of ${itemCount}`);
  const weight = similarities.find((similarity) => !(similarity > 0 && Number.isFinite(similarity)));
  if (weight !== undefined) problems.push(`weight ${weight} is not above 0`);
  return problems;
}
