import { join } from 'node:path';
import type { ItemIndex, Manifest } from '../bundle/manifest.js';
import { createExactSearch } from '../candidates/exact-search.js';
import { openHnswSearch } from '../candidates/hnsw-index.js';
import { createInt8Search } from '../candidates/int8-search.js';
import type { Int8Rows } from '../candidates/int8-rows.js';
import type { ItemSearch, ItemVectors } from '../candidates/item-search.js';
import { openPgvectorSearch } from '../candidates/pgvector-search.js';
import { findItemVectors } from '../candidates/sources.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { BundleContents } from './read-bundle.js';

interface SearchedBundle {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly index: ItemIndex | undefined;
  /** For an exact search: what `prepareRows` made of the items. */
  readonly rows: Int8Rows | undefined;
  /** Is asked in place of the bundle's own index. */
  readonly vectorEngine: VectorEngineOptions | undefined;
}

/**
 * Opens what finds the nearest items of a bundle: a vector engine where there is one, else what the manifest says.
 * @throws ShortlistError INVALID_BUNDLE when the index cannot be used, or the engine answers and has other vectors
 */
export async function openItemSearch(
  items: ItemVectors,
  { folder, manifest, index, rows, vectorEngine }: SearchedBundle,
): Promise<ItemSearch> {
  if (vectorEngine !== undefined) return openPgvectorSearch(items, manifest.version, vectorEngine);
  if (index === undefined) return createExactSearch(items, { rows });
  if (index.kind === 'int8') return createInt8Search(items);
  const name = index.file!;
  const file = { name, path: join(folder, name), ...manifest.files[name]! };
  return openHnswSearch(file, items, { oversampling: index.oversampling! });
}

/**
 * How each source of a bundle finds the nearest items, by name: the kind of its index, `two-pass` for an exact search that scans bytes
 * first, or `float32` for one that scores every item.
 */
export function listItemSearches(
  { manifest, rows }: Pick<BundleContents, 'manifest' | 'rows'>,
  vectorEngine: VectorEngineOptions | undefined,
): Record<string, string> {
  const named = Object.entries(manifest.sources).flatMap(([name, { file, index, skipped }]) => {
    if (skipped !== undefined || file === undefined || findItemVectors(name) === undefined) return [];
    if (name === 'als' && vectorEngine !== undefined) return [[name, 'pgvector']];
    return [[name, index?.kind ?? (rows.has(file) ? 'two-pass' : 'float32')]];
  });
  return Object.fromEntries(named) as Record<string, string>;
}
