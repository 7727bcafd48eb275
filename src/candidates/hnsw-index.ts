import type * as usearch from 'usearch';
import { type ListedFile, openVerifiedFile } from '../bundle/verified-file.js';
import { ShortlistError } from '../domain/errors.js';
import { augmentUser, augmentVectors } from './augmented-vectors.js';
import type { ItemSearch, ItemVectors } from './item-search.js';
import { searchIndex } from './search-index.js';

/** Parameters of building a graph of items. */
export interface HnswOptions {
  /** Neighbours that an item keeps. */
  readonly connectivity: number;
  /** Items looked at to find them. */
  readonly expansion: number;
  /** Told how many items were added. */
  readonly onItems?: (count: number) => void;
}

type Usearch = typeof usearch;

/** Items that are added between two breaths of the event loop. */
const BLOCK_ITEMS = 2048;

/**
 * Writes a graph over the item vectors (HNSW; Malkov and Yashunin, 2016) to a file, by usearch. The same vectors give the same
 * bytes: one thread builds it.
 * @throws ShortlistError INVALID_CONFIG when usearch cannot be loaded
 */
export async function writeHnswIndex(path: string, items: ItemVectors, options: HnswOptions): Promise<void> {
  const augmented = augmentVectors(items);
  const index = await createIndex(augmented.dimensions, options);
  const keys = BigUint64Array.from(augmented.items, BigInt);
  for (let start = 0; start < keys.length; start += BLOCK_ITEMS) {
    const end = Math.min(keys.length, start + BLOCK_ITEMS);
    const vectors = augmented.vectors.subarray(start * augmented.dimensions, end * augmented.dimensions);
    index.add(keys.slice(start, end), vectors, 1);
    options.onItems?.(end - start);
    await new Promise(setImmediate);
  }
  index.save(path);
}

/**
 * Opens an index file for search, verified first: usearch takes a damaged file for a graph and ends the process. The file is
 * mapped into memory, not read: threads that open it share what the system holds of it. It may be removed while it is open,
 * and must not be changed.
 * @throws ShortlistError INVALID_BUNDLE when usearch cannot be loaded, or the file is not the one that the manifest lists or
 * not of these vectors
 */
export async function openHnswSearch(
  file: ListedFile,
  items: ItemVectors,
  { oversampling }: { oversampling: number },
): Promise<ItemSearch> {
  const index = await openIndex(file, items);
  const size = index.size();
  return {
    findBest: (user, options) => {
      const vector = augmentUser(user);
      const ask = (count: number): Int32Array => Int32Array.from(index.search(vector, count, 1).keys, Number);
      const { factors } = items;
      return searchIndex(user, options, { index: { size, oversampling, ask }, factors });
    },
    close: async () => undefined,
  };
}

async function openIndex(file: ListedFile, { factors, dimensions }: ItemVectors): Promise<usearch.Index> {
  const index = await createIndex(dimensions + 1).catch((error: ShortlistError) => {
    throw invalidIndex(file, `cannot be searched. ${error.message}`, error);
  });
  await (await openVerifiedFile(file)).verify();
  try {
    index.view(file.path);
  } catch (cause) {
    throw invalidIndex(file, `is not an index that usearch reads: ${(cause as Error).message}`, cause);
  }
  const itemCount = factors.length / dimensions;
  if (index.dimensions() !== dimensions + 1 || index.size() > itemCount) {
    const found = `${index.size()} vectors of ${index.dimensions()} dimensions`;
    throw invalidIndex(file, `has ${found}, the items are ${itemCount} of ${dimensions} and one more`);
  }
  return index;
}

async function createIndex(dimensions: number, options?: HnswOptions): Promise<usearch.Index> {
  const { Index, MetricKind, ScalarKind } = await loadUsearch();
  const { connectivity = 0, expansion = 0 } = options ?? {};
  return new Index({
    dimensions,
    metric: MetricKind.IP,
    // Half the memory of float32 at the same recall: answers are scored in float32 anyhow.
    quantization: ScalarKind.BF16,
    connectivity,
    expansion_add: expansion,
    expansion_search: 0,
    multi: false,
  });
}

/**
 * The library of graphs, which an installation need not have.
 * @throws ShortlistError INVALID_CONFIG when it cannot be loaded, with what to do
 */
export async function loadUsearch(load: () => Promise<Usearch> = () => import('usearch')): Promise<Usearch> {
  try {
    return await load();
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      'An index of items needs the optional package usearch, which is not installed or has no build for ' +
        `${process.platform}-${process.arch} (${(cause as Error).message}): install it, or train with als.index.kind: exact.`,
      { cause },
    );
  }
}

function invalidIndex({ name }: ListedFile, what: string, cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `${name} ${what}`, { cause });
}
