import { join } from 'node:path';
import type { ItemIndex, Manifest } from '../bundle/manifest.js';
import { createExactSearch } from '../candidates/exact-search.js';
import { openHnswSearch } from '../candidates/hnsw-index.js';
import { createInt8Search } from '../candidates/int8-search.js';
import type { ItemSearch, ItemVectors } from '../candidates/item-search.js';

/**
 * Opens what finds the nearest items of a bundle, as its manifest says.
 * @throws ShortlistError INVALID_BUNDLE when its index cannot be used
 */
export async function openItemSearch(
  items: ItemVectors,
  index: ItemIndex | undefined,
  { folder, manifest }: { folder: string; manifest: Manifest },
): Promise<ItemSearch> {
  if (index === undefined) return createExactSearch(items);
  if (index.kind === 'int8') return createInt8Search(items);
  const name = index.file!;
  const file = { name, path: join(folder, name), ...manifest.files[name]! };
  return openHnswSearch(file, items, { oversampling: index.oversampling! });
}
