import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { encodeTensorFile } from '../../src/bundle/tensor-file.js';
import {
  type BundleContent,
  type ManifestDraft,
  writeBundleFiles,
} from '../../src/bundle/write-bundle-files.js';
import { alsToTensors } from '../../src/candidates/als.js';
import { popularityToTensors } from '../../src/candidates/popularity.js';
import { SOURCES } from '../../src/candidates/sources.js';
import type { ScenarioConfig } from '../../src/config/scenario-config.js';
import { historiesToTensors } from '../../src/features/read-histories.js';
import { encodeCatalogue } from '../../src/offline/training/bundle/encode-catalogue.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import {
  createSyntheticWorld,
  type SyntheticWorld,
  WORLD_KNOWN_UNTIL,
  type WorldSize,
} from './synthetic-world.js';
import { type BenchRanker, CANDIDATES, trainBenchRanker } from './train-ranker.js';

/** A generated bundle, ready to be served. */
export interface BenchBundle extends WorldSize {
  /** The registry that it is published in, to the channel `staging`. */
  readonly registry: string;
  readonly folder: string;
}

/** The scenario that is measured: one source, as many candidates as it gives, the ranker. */
export const BENCH_SCENARIO: ScenarioConfig = {
  name: 'bench',
  description: 'What the benchmark of serving asks for.',
  sources: { als: CANDIDATES },
  maxCandidates: CANDIDATES,
  rules: ['exclude-seen', 'exclude-requested', 'filter-attributes'],
  ranker: 'bundle',
};

/** To be raised when what is generated changes: older bundles are not used again. */
const GENERATION = 1;

/** A bundle of this size out of the folder, generated first where it has none. */
export async function openBenchBundle(size: WorldSize, cacheDir: string): Promise<BenchBundle> {
  const registry = join(cacheDir, `bundle-${GENERATION}-${size.items}-${size.users}-${size.seed}`);
  if (!existsSync(registry)) await generateBundle(size, registry);
  const published = createFolderRegistry(registry);
  const { version } = await published.readChannel('staging');
  return { ...size, registry, folder: await published.pathOf(version) };
}

/** A folder of scenarios that has the scenario of the bench alone. */
export async function writeScenarios(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${BENCH_SCENARIO.name}.yaml`), stringify(BENCH_SCENARIO));
}

/** In a folder beside it first: one that was begun and never ended must not be taken for whole. */
async function generateBundle(size: WorldSize, registry: string): Promise<void> {
  const started = performance.now();
  const begun = `${registry}.begun`;
  await rm(begun, { recursive: true, force: true });
  const world = createSyntheticWorld(size);
  const ranker = await trainBenchRanker(world, size.seed);
  const trained = join(begun, 'trained');
  await writeBundleFiles(trained, {
    manifest: draftManifest(world, ranker, size),
    files: encodeFiles(world, ranker),
  });
  await createFolderRegistry(begun).publish(trained);
  await rm(trained, { recursive: true });
  await rename(begun, registry);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stderr.write(`generated ${registry} in ${seconds} s, peak memory ${peak} MB\n`);
}

function draftManifest(
  { histories, tables }: SyntheticWorld,
  { featureOrder, trees }: BenchRanker,
  { items, users, seed }: WorldSize,
): ManifestDraft {
  const views = Object.values(tables).map(
    ({ view }) => [view.name, { ...view, fields: [...view.fields] }] as const,
  );
  return {
    createdAt: new Date(WORLD_KNOWN_UNTIL * 1000).toISOString(),
    codeVersion: '0.0.0-bench',
    dataset: {
      name: 'generated',
      fingerprint: `generated-${GENERATION}-${seed}`,
      users,
      items,
      interactions: histories.items.length,
      from: histories.timestamps.reduce((oldest, time) => Math.min(oldest, time)),
      to: WORLD_KNOWN_UNTIL,
    },
    knownUntil: WORLD_KNOWN_UNTIL,
    catalogue: {
      file: 'catalogue.parquet',
      attributes: [{ name: 'title', role: 'text', shown: true, filterable: false, feature: false }],
    },
    views: Object.fromEntries(views) as unknown as ManifestDraft['views'],
    sources: { als: { file: SOURCES.als.file }, popular: { file: SOURCES.popular.file } },
    histories: { file: 'histories.safetensors' },
    ranker: {
      file: 'ranker.onnx',
      inputName: 'features',
      outputName: 'scores',
      objective: 'logistic',
      trees,
      featureOrder: [...featureOrder],
    },
    training: {},
    metrics: {},
  };
}

function encodeFiles({ catalogue, histories, als, popularity, tables }: SyntheticWorld, ranker: BenchRanker) {
  return new Map<string, BundleContent>([
    ['catalogue.parquet', { bytes: encodeCatalogue(catalogue), rows: catalogue.entities.size }],
    ['histories.safetensors', { bytes: encodeTensorFile(historiesToTensors(histories)) }],
    [SOURCES.als.file, { bytes: encodeTensorFile(alsToTensors(als)) }],
    [SOURCES.popular.file, { bytes: encodeTensorFile(popularityToTensors(popularity)) }],
    ['ranker.onnx', { bytes: ranker.onnx }],
    ...Object.values(tables).map((table): [string, BundleContent] => [
      table.view.file,
      { bytes: encodeFeatureTable(table), rows: table.entities.size },
    ]),
  ]);
}
