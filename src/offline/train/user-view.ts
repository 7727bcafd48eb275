import type { EntityTable } from '../../domain/catalogue.js';
import type { FeatureTable } from '../../features/feature-table.js';
import { createViewTable, encodeColumns } from './view-table.js';

/**
 * The users view: the ranker's columns of the users table. What users did is not in it: that comes from their history.
 * @param options.knownUntil Unix seconds
 */
export function buildUserView(users: EntityTable, options: { knownUntil: number }): FeatureTable {
  return createViewTable({ entity: 'user', entities: users.entities }, encodeColumns(users), options);
}
