import { join } from 'node:path';
import { readDatasetConfig, type DatasetConfig } from '../../../../src/config/dataset-config.js';
import { writeDemoData } from '../../../../src/offline/data/demo/demo-data.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';

/** Makes and prepares 200 users and 80 items of demo data; returns the folder of the prepared tables. */
export async function prepareSmallDemo(dir: string): Promise<string> {
  return prepareRows(dir, (config) => config);
}

/** The same rows as those of a shop: every fifth is a purchase, which counts five times a view. */
export async function prepareWeightedDemo(dir: string): Promise<string> {
  return prepareRows(dir, (config, raw) => ({
    ...config,
    name: 'shop',
    interactions: {
      ...config.interactions,
      sql: `SELECT user_id, item_id, timestamp, CASE WHEN row_number() OVER (ORDER BY user_id, item_id) % 5 = 0 THEN 'purchase' ELSE 'view' END AS type
        FROM '${raw}/interactions.parquet'`,
      weights: { purchase: 5, view: 1 },
    },
  }));
}

async function prepareRows(
  dir: string,
  change: (config: DatasetConfig, raw: string) => DatasetConfig,
): Promise<string> {
  const raw = join(dir, 'raw');
  const outDir = join(dir, 'prepared');
  await writeDemoData(raw, { users: 200, items: 80, seed: 7, progress: SILENT_PROGRESS });
  const config = change(readDatasetConfig('demo', { configsDir: 'configs', path: raw }), raw);
  await prepareDataset(config, { outDir, progress: SILENT_PROGRESS, eventsFolder: join(dir, 'events') });
  return outDir;
}
