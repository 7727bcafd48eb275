import { toHistories } from '../../../domain/interactions.js';
import type { BundleContents } from '../../../engine/read-bundle.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import { buildDeclaredViews } from '../../training/views/declared-view.js';
import { buildItemView } from '../../training/views/item-view.js';
import { buildUserViews } from '../../training/views/user-view.js';

/** What can be made of the tables of the dataset that a bundle was trained on, in place of what the bundle has. */
export function rebuildContents(contents: BundleContents, dataset: PreparedDataset): BundleContents {
  const { knownUntil } = contents.manifest;
  const { interactions, catalogue, views } = dataset;
  const rebuilt = [
    buildItemView(interactions, catalogue, { knownUntil, freshness: views.items }),
    ...buildDeclaredViews(dataset, 'item', { knownUntil }),
    ...buildUserViews(dataset, { knownUntil }),
  ];
  const byName = new Map(rebuilt.map((table) => [table.view.name, table]));
  return {
    ...contents,
    catalogue,
    histories: toHistories(interactions),
    tables: new Map([...contents.tables].map(([name, table]) => [name, byName.get(name) ?? table])),
  };
}
