import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ItemIndex } from '../../../bundle/manifest.js';
import { type AlsModel, parseAls } from '../../../candidates/als.js';
import { openHnswSearch, writeHnswIndex } from '../../../candidates/hnsw-index.js';
import { createInt8Search } from '../../../candidates/int8-search.js';
import type { ItemSearch } from '../../../candidates/item-search.js';
import { SOURCES } from '../../../candidates/sources.js';
import type { TrainingConfig } from '../../../config/training-config.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { measureRecall } from './measure-recall.js';
import type { StageOne } from '../stage-one/stage-one.js';

const INDEX_FILE = 'candidates/als.usearch';

/** Of a graph, where the config does not say. */
const DEFAULTS = { connectivity: 16, expansion: 128, oversampling: 4 };

/** An index of item vectors, in place of scoring all of them in float32. */
export interface TrainedIndex {
  readonly facts: ItemIndex;
  /** The index file, where there is one. */
  readonly bytes?: Uint8Array;
}

interface IndexingOptions {
  readonly config: TrainingConfig;
  /** How many items are asked for when recall is measured: as many as the scenario does. */
  readonly limit: number;
  readonly progress: ProgressReporter;
}

/**
 * Builds the index that the config asks for over the items of `als`, and measures its recall as it will be served; undefined where
 * the config asks for none.
 * @throws ShortlistError INVALID_CONFIG when usearch is needed and cannot be loaded
 */
export async function indexItems(
  { artefacts, histories }: Pick<StageOne, 'artefacts' | 'histories'>,
  { config, limit, progress }: IndexingOptions,
): Promise<TrainedIndex | undefined> {
  const { index = { kind: 'exact' } } = config.als;
  if (index.kind === 'exact') return undefined;
  const artefact = artefacts.get(SOURCES.als.file)!;
  const model = parseAls(artefact, { itemCount: artefact.tensors.get('factors')!.shape[0]! });
  const measure = (search: ItemSearch) =>
    measureRecall(search, model, { histories, limit, seed: config.seed });
  const { kind } = index;
  const trained =
    kind === 'int8'
      ? await indexInt8(model, measure)
      : await indexGraph(model, { ...DEFAULTS, ...index }, { measure, progress });
  const { mean, users } = trained.facts.recall;
  progress
    .start(`index ${kind}`)
    .finish(`recall@${limit} ${mean.toFixed(4)} against exact, of ${users} users`);
  return trained;
}

type Measure = (search: ItemSearch) => Promise<ItemIndex['recall']>;

async function indexInt8(model: AlsModel, measure: Measure): Promise<TrainedIndex> {
  const search = createInt8Search(model);
  const recall = await measure(search);
  await search.close();
  return { facts: { kind: 'int8', recall } };
}

async function indexGraph(
  model: AlsModel,
  { connectivity, expansion, oversampling }: typeof DEFAULTS,
  { measure, progress }: { measure: Measure; progress: ProgressReporter },
): Promise<TrainedIndex> {
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-index-'));
  try {
    const path = join(folder, 'index');
    const step = progress.start('graph of items', model.factors.length / model.dimensions);
    await writeHnswIndex(path, model, { connectivity, expansion, onItems: (count) => step.advance(count) });
    step.finish();
    const bytes = await readFile(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const file = { name: INDEX_FILE, path, sha256, sizeBytes: bytes.length };
    const recall = await measure(await openHnswSearch(file, model, { oversampling }));
    return { facts: { kind: 'hnsw', file: INDEX_FILE, oversampling, recall }, bytes };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
