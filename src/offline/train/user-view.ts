import type { EntityTable } from '../../domain/catalogue.js';
import type { FeatureTable } from '../../features/feature-table.js';
import { encodeAttribute } from './encode-attribute.js';

/** The users view: the ranker's columns of the users table. What users did is not in it: that comes from their history. */
export function buildUserView(users: EntityTable): FeatureTable {
  const columns = users.attributes
    .filter(({ feature, role }) => feature && role !== 'multi-valued' && role !== 'text')
    .map(encodeAttribute);
  return {
    view: {
      entity: 'user',
      key: 'user_id',
      file: 'features/users.parquet',
      fields: columns.map((column) => column.field),
    },
    entities: users.entities,
    columns: columns.map((column) => column.values),
    defaulted: columns.map((column) => column.defaulted),
  };
}
