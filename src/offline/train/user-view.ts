import type { EntityTable } from '../../domain/catalogue.js';
import type { FeatureTable } from '../../features/feature-table.js';
import { createViewTable, encodeColumns, type ViewTimes } from './view-table.js';

/** The users view: the ranker's columns of the users table. What users did is not in it: that comes from their history. */
export function buildUserView(users: EntityTable, options: ViewTimes): FeatureTable {
  return createViewTable({ entity: 'user', entities: users.entities }, encodeColumns(users), options);
}
