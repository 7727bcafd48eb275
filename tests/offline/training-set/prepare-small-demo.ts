import { join } from 'node:path';
import { readDatasetConfig } from '../../../src/config/dataset-config.js';
import { writeDemoData } from '../../../src/offline/demo-data.js';
import { prepareDataset } from '../../../src/offline/prepare/prepare-dataset.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress.js';

/** Makes and prepares 200 users and 80 items of demo data; returns the folder of the prepared tables. */
export async function prepareSmallDemo(dir: string): Promise<string> {
  const raw = join(dir, 'raw');
  const outDir = join(dir, 'prepared');
  await writeDemoData(raw, { users: 200, items: 80, seed: 7, progress: SILENT_PROGRESS });
  const config = readDatasetConfig('demo', { configsDir: 'configs', path: raw });
  await prepareDataset(config, { outDir, progress: SILENT_PROGRESS });
  return outDir;
}
