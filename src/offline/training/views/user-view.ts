import type { EntityTable } from '../../../domain/catalogue.js';
import type { FeatureTable } from '../../../features/feature-table.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { buildDeclaredViews } from './declared-view.js';
import { createViewTable, encodeColumns, type ViewTimes } from './view-table.js';

/** The users view: the ranker's columns of the users table. What users did is not in it: that comes from their history. */
export function buildUserView(users: EntityTable, options: ViewTimes): FeatureTable {
  return createViewTable({ entity: 'user', entities: users.entities }, encodeColumns(users), options);
}

/** All views of users as of one time, `users` first. */
export function buildUserViews(
  dataset: PreparedDataset,
  { knownUntil }: { knownUntil: number },
): readonly [FeatureTable, ...FeatureTable[]] {
  const { users, views } = dataset;
  return [
    buildUserView(users, { knownUntil, freshness: views.users }),
    ...buildDeclaredViews(dataset, 'user', { knownUntil }),
  ];
}
