import { connectVectorEngine, loadItemVectors } from '../../src/candidates/load-item-vectors.js';
import type { ItemVectors } from '../../src/candidates/item-search.js';
import { engineOptions } from '../support/vector-engine.js';

/** Loads items as those of a bundle version. */
export async function loadVersion(
  items: ItemVectors,
  { port, version }: { port: number; version: string },
): Promise<number> {
  const client = await connectVectorEngine(engineOptions(port));
  try {
    const { table } = engineOptions(port);
    return await loadItemVectors(client, items, { table, version, onRows: () => undefined });
  } finally {
    await client.end();
  }
}
