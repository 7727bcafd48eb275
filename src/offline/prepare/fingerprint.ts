import { createHash, type Hash } from 'node:crypto';
import type { AttributeSpec, EntityTable } from '../../domain/catalogue.js';
import type { PreparedTables } from '../prepared-dataset.js';

/**
 * A sha256 over ids, attributes and interactions, in hex: the same content gives the same fingerprint, whatever files
 * it came in and whoever wrote the parquet.
 *
 * @param options.types the `type` of each interaction, in the order of the table; null where it has none
 */
export function fingerprintTables(
  tables: PreparedTables,
  options: { types: Iterable<string | null> },
): string {
  const hash = createHash('sha256');
  addEntities(hash, tables.catalogue);
  addEntities(hash, tables.users);
  const { user, item, timestamp, value } = tables.interactions;
  for (const column of [user, item, timestamp, value]) {
    hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }
  for (const type of options.types) hash.update(`${JSON.stringify(type)}\n`);
  return hash.digest('hex');
}

function addEntities(hash: Hash, table: EntityTable): void {
  for (const id of table.entities.ids) hash.update(`${JSON.stringify(id)}\n`);
  for (const { name, role, shown, filterable, feature, values } of table.attributes) {
    const spec: AttributeSpec = { name, role, shown, filterable, feature };
    hash.update(`${JSON.stringify(spec)}\n`);
    for (const value of values) hash.update(`${JSON.stringify(value ?? null)}\n`);
  }
}
