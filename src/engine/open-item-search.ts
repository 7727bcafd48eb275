import { join } from 'node:path';
import type { ItemIndex, Manifest } from '../bundle/manifest.js';
import { createExactSearch } from '../candidates/exact-search.js';
import { openHnswSearch } from '../candidates/hnsw-index.js';
import { createInt8Search } from '../candidates/int8-search.js';
import type { ItemSearch, ItemVectors } from '../candidates/item-search.js';
import { openPgvectorSearch } from '../candidates/pgvector-search.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';

interface SearchedBundle {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly index: ItemIndex | undefined;
  /** Is asked in place of the bundle's own index. */
  readonly vectorEngine: VectorEngineOptions | undefined;
}

/**
 * Opens what finds the nearest items of a bundle: a vector engine where there is one, else what the manifest says.
 * @throws ShortlistError INVALID_BUNDLE when the index cannot be used, or the engine answers and has other vectors
 */
export async function openItemSearch(
  items: ItemVectors,
  { folder, manifest, index, vectorEngine }: SearchedBundle,
): Promise<ItemSearch> {
  if (vectorEngine !== undefined) return openPgvectorSearch(items, manifest.version, vectorEngine);
  if (index === undefined) return createExactSearch(items);
  if (index.kind === 'int8') return createInt8Search(items);
  const name = index.file!;
  const file = { name, path: join(folder, name), ...manifest.files[name]! };
  return openHnswSearch(file, items, { oversampling: index.oversampling! });
}
