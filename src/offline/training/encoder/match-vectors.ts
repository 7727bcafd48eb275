import type { EncoderVectors } from '../../../candidates/onnx-encoder.js';
import type { EncoderConfig } from '../../../config/encoder-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { IdIndex } from '../../../domain/id-index.js';
import type { ItemVectors } from './read-item-vectors.js';

/** Counts of the items that have a vector, and of the vectors that have an item. */
export interface VectorCoverage {
  /** Items of the catalogue that have a vector. */
  readonly items: number;
  /** Items of the catalogue that have none: the source never retrieves them. */
  readonly itemsWithout: number;
  /** Vectors of items that the catalogue does not have: left out. */
  readonly unknownVectors: number;
}

/**
 * Brings vectors into the order of a catalogue; of length 1 where the similarity is cosine.
 * @throws ShortlistError INVALID_BUNDLE when no vector is of an item of the catalogue, or the vocabulary is too large
 */
export function matchVectors(
  { ids, dimensions, values }: ItemVectors,
  spec: EncoderConfig,
  catalogue: IdIndex,
): { encoder: EncoderVectors; coverage: VectorCoverage } {
  const { golden: _, ...config } = spec;
  const vocabulary = config.history?.vocabulary ?? ids.size;
  const rowOfItem = Int32Array.from({ length: catalogue.size }, (_, item) => ids.find(catalogue.idAt(item)));
  const items = Int32Array.from(rowOfItem.keys()).filter((item) => rowOfItem[item]! >= 0);
  refuseMismatch({ ids, vocabulary, known: items.length, catalogue });
  const vectors = new Float32Array(items.length * dimensions);
  items.forEach((item, place) => {
    const row = rowOfItem[item]!;
    vectors.set(scale(values.subarray(row * dimensions, (row + 1) * dimensions), config), place * dimensions);
  });
  return {
    encoder: { config, dimensions, vectors, items, rows: items.map((item) => rowOfItem[item]!), vocabulary },
    coverage: {
      items: items.length,
      itemsWithout: catalogue.size - items.length,
      unknownVectors: ids.size - items.length,
    },
  };
}

function refuseMismatch({
  ids,
  vocabulary,
  known,
  catalogue,
}: {
  ids: IdIndex;
  vocabulary: number;
  known: number;
  catalogue: IdIndex;
}): void {
  if (vocabulary > ids.size) {
    throw new ShortlistError(
      'INVALID_BUNDLE',
      `history.vocabulary is ${vocabulary}, and there are ${ids.size} vectors: a history names items by their row.`,
    );
  }
  if (known > 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `None of the ${ids.size} vectors is of an item of the catalogue: they are of items such as ` +
      `${JSON.stringify(ids.idAt(0))}, the catalogue has items such as ${JSON.stringify(catalogue.idAt(0))}.`,
  );
}

/** Found by the norm in double precision: tiny and huge values are squared. */
function scale(vector: Float32Array, { similarity }: Pick<EncoderConfig, 'similarity'>): Float32Array {
  if (similarity === 'dot') return vector;
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}
