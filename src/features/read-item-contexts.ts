import { vectorFile, type TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, findOffsetProblems } from '../bundle/tensor-reader.js';
import { countParts, type ItemContexts, type KnownContextField, type PartCounts } from './item-contexts.js';

/** The tensors of item contexts, three per field: `<field>.offsets` [items + 1], `<field>.parts` and `<field>.counts`. */
export function itemContextsToTensors({ fields, counts }: ItemContexts): TensorFile {
  const vectors = fields.flatMap(({ name }, index) =>
    Object.entries(counts[index]!).map(([part, data]) => [`${name}.${part}`, data as Uint32Array] as const),
  );
  return vectorFile(Object.fromEntries(vectors));
}

/**
 * The item contexts that a tensor file holds; the arrays are those of the file.
 * @param options.name what to call the file in errors
 * @throws ShortlistError INVALID_BUNDLE with every problem found: tensors missing or of another type, lengths that do not
 * fit, offsets that descend, parts that a field does not have or that do not ascend within an item, counts of 0
 */
export function parseItemContexts(
  file: TensorFile,
  options: {
    timeZone: string;
    fields: readonly KnownContextField[];
    itemCount: number;
    name: string;
  },
): ItemContexts {
  const { timeZone, fields, itemCount, name } = options;
  const reader = createTensorReader(name, file);
  const counts = fields.map((field): PartCounts => {
    const read: PartCounts = {
      offsets: reader.uint32(`${field.name}.offsets`, [itemCount + 1]),
      parts: reader.int32(`${field.name}.parts`, [null]),
      counts: reader.uint32(`${field.name}.counts`, [null]),
    };
    if (reader.isSound()) {
      for (const problem of findProblems(read, countParts(field))) reader.report(`${field.name}.${problem}`);
    }
    return read;
  });
  reader.finish();
  return { timeZone, fields, counts };
}

function findProblems({ offsets, parts, counts }: PartCounts, partCount: number): string[] {
  const problems = findOffsetProblems('offsets', offsets, parts.length);
  if (counts.length !== parts.length)
    problems.push(`counts: ${counts.length} entries for ${parts.length} parts`);
  const outside = parts.find((part) => part < 0 || part >= partCount);
  if (outside !== undefined) problems.push(`parts: part ${outside} is not one of ${partCount}`);
  if (counts.includes(0)) problems.push('counts: one is 0, which says nothing');
  if (problems.length > 0) return problems;
  const unsorted = findUnsortedItem(offsets, parts);
  return unsorted < 0 ? [] : [`parts: those of item ${unsorted} do not ascend`];
}

function findUnsortedItem(offsets: Uint32Array, parts: Int32Array): number {
  for (let item = 0; item + 1 < offsets.length; item++) {
    for (let entry = offsets[item]! + 1; entry < offsets[item + 1]!; entry++) {
      if (parts[entry]! <= parts[entry - 1]!) return item;
    }
  }
  return -1;
}
