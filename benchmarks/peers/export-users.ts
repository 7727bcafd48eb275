import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeTensorFile, parseTensorFile, type TensorFile } from '../../src/bundle/tensor-file.js';
import { createFoldIn, parseAls } from '../../src/candidates/als.js';
import { SOURCES } from '../../src/candidates/sources.js';
import { historyOf } from '../../src/domain/history.js';
import { parseHistories } from '../../src/features/read-histories.js';
import type { BenchBundle } from '../serving/bench-bundle.js';

/**
 * Writes the vector of each user of the bundle, as serving folds it in from the history, to a safetensors file: `users`
 * [users × dimensions]. The peer looks them up, which costs it less than Shortlist's fold-in in each request.
 */
export async function exportUsers(bundle: BenchBundle, file: string): Promise<void> {
  const { items, users } = bundle;
  const model = parseAls(await readTensors(bundle, SOURCES.als.file), { itemCount: items });
  const name = 'histories.safetensors';
  const histories = parseHistories(await readTensors(bundle, name), { name, users, items });
  const foldIn = createFoldIn(model);
  const data = new Float32Array(users * model.dimensions);
  for (let user = 0; user < users; user++)
    data.set(foldIn(historyOf(histories, user)), user * model.dimensions);
  const tensors = new Map([['users', { shape: [users, model.dimensions], data }]]);
  await writeFile(file, encodeTensorFile({ tensors, metadata: {} }));
}

async function readTensors({ folder }: BenchBundle, file: string): Promise<TensorFile> {
  return parseTensorFile(await readFile(join(folder, file)), file);
}
