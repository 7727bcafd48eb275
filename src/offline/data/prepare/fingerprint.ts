import { createHash, type Hash } from 'node:crypto';
import type { AttributeSpec, EntityTable } from '../../../domain/catalogue.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import type { PreparedTables } from '../prepared-dataset.js';
import type { PreparedView } from '../prepared-views.js';

/**
 * A sha256 over ids, attributes, interactions and views, in hex: the same content gives the same fingerprint, whatever files
 * it came in and whoever wrote the parquet.
 */
export function fingerprintTables(tables: PreparedTables): string {
  const hash = createHash('sha256');
  addEntities(hash, tables.catalogue);
  addEntities(hash, tables.users);
  const { user, item, timestamp, value } = tables.interactions;
  for (const column of [user, item, timestamp, value]) addBytes(hash, column);
  const { context } = tables.interactions;
  if (context !== undefined) {
    hash.update(JSON.stringify({ timeZone: context.timeZone, fields: context.fields }));
    for (const column of context.columns) addBytes(hash, column);
  }
  const { unwanted } = tables.interactions;
  if (unwanted !== undefined && unwanted.user.length > 0) {
    hash.update('unwanted\n');
    for (const column of [unwanted.user, unwanted.item, unwanted.timestamp]) addBytes(hash, column);
  }
  addTypes(hash, tables.interactions);
  const { target } = tables.interactions;
  if (target !== undefined) {
    hash.update(`target ${JSON.stringify(target.types ?? null)}\n`);
    addBytes(hash, target.rows);
  }
  const { items, users, declared } = tables.views;
  hash.update(JSON.stringify({ items, users }));
  for (const view of declared) addView(hash, view);
  return hash.digest('hex');
}

/** The type of each interaction, null where it has none. */
function addTypes(hash: Hash, { user, types }: InteractionTable): void {
  for (let row = 0; row < user.length; row++)
    hash.update(`${JSON.stringify(types?.names[types.codes[row]!] ?? null)}\n`);
}

function addView(hash: Hash, { spec, keys, offsets, eventTimes, columns }: PreparedView): void {
  hash.update(JSON.stringify(spec));
  for (const id of keys.ids) hash.update(`${JSON.stringify(id)}\n`);
  addBytes(hash, offsets);
  if (eventTimes !== undefined) addBytes(hash, eventTimes);
  for (const { values, missing, dictionary } of columns) {
    addBytes(hash, values);
    addBytes(hash, missing);
    hash.update(JSON.stringify(dictionary ?? null));
  }
}

function addBytes(hash: Hash, { buffer, byteOffset, byteLength }: ArrayBufferView): void {
  hash.update(new Uint8Array(buffer, byteOffset, byteLength));
}

function addEntities(hash: Hash, table: EntityTable): void {
  for (const id of table.entities.ids) hash.update(`${JSON.stringify(id)}\n`);
  for (const { name, role, shown, filterable, feature, values } of table.attributes) {
    const spec: AttributeSpec = { name, role, shown, filterable, feature };
    hash.update(`${JSON.stringify(spec)}\n`);
    for (const value of values) hash.update(`${JSON.stringify(value ?? null)}\n`);
  }
}
