import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import type { ItemIndex } from '../../src/bundle/manifest.js';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import type { TrainingConfig } from '../../src/config/training-config.js';
import { closeEngine } from '../../src/engine/close-engine.js';
import { openBundle, openEngine } from '../../src/engine/open-engine.js';
import { packContents } from '../../src/engine/read-bundle.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { openComputePool } from '../../src/serving/compute/compute-pool.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { createSyntheticDataset } from '../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig, trainSmallBundle } from '../support/trained-bundle.js';

const dataset = createSyntheticDataset();
const exactConfig = smallTrainingConfig();
const base = t.testdir({});

/** A bundle trained with an index of this kind. */
async function writeIndexed(kind: 'int8' | 'hnsw', oversampling = 1): Promise<string> {
  const config: TrainingConfig = {
    ...exactConfig,
    als: { ...exactConfig.als, index: { kind, oversampling } },
  };
  const folder = join(base, kind);
  const trained = await trainSmallBundle(dataset, { config });
  await writeTrainedBundle(folder, trained, { dataset, config, provenance: PROVENANCE });
  return folder;
}

const folders = { int8: await writeIndexed('int8'), hnsw: await writeIndexed('hnsw') };
const alone = { ...SCENARIOS.get('home')!, name: 'alone', sources: { als: 3 }, maxCandidates: 3 };
const scenarios = new Map([...SCENARIOS, ['alone', alone]]);
const requests = dataset.users.entities.ids.slice(0, 30).map((userId): RecommendationRequest => {
  const subject = { userId };
  return { subject, scenario: 'alone', limit: 3, exclude: [], filters: [], explain: 'sources' };
});

for (const kind of ['int8', 'hnsw'] as const) {
  t.test(`a bundle trained with ${kind} says so, with its recall, and lists every file`, async (t) => {
    const { manifest } = await openBundleFiles(folders[kind]);
    const { index, file } = manifest.sources['als'] as { index: ItemIndex; file: string };
    t.equal(index.kind, kind);
    t.equal(file, 'candidates/als.safetensors');
    t.equal(index.file, kind === 'hnsw' ? 'candidates/als.usearch' : undefined);
    t.equal(index.recall.items, SCENARIOS.get('home')!.maxCandidates);
    t.ok(index.recall.users > 20);
    t.equal(index.recall.mean, 1, 'these few items are found by scoring them');
    t.ok(index.file === undefined || manifest.files[index.file]!.sizeBytes > 0);
  });

  t.test(`threads serve a bundle with ${kind} as the pipeline does, without what was seen`, async (t) => {
    const bundle = await openBundle(folders[kind], scenarios);
    const { engine } = bundle;
    const pool = await openComputePool(
      { contents: packContents(bundle.contents), scenarios },
      { workers: 2, maxBatch: 4, maxWaiting: 1000, minDepth: 1, clock: () => engine.knownUntil },
    );
    const answers = await Promise.all(
      requests.map((request) => pool.run(request, { deadline: Number.MAX_SAFE_INTEGER })),
    );
    for (const [at, request] of requests.entries()) {
      const { slate } = await recommend(request, engine);
      t.same(answers[at]!.slate, slate);
      t.same(slate.degraded, []);
      t.ok(slate.items.length > 0);
    }
    await pool.close();
    await closeEngine(engine);
  });
}

t.test('training on the same data gives the same bundle, graph and all', async (t) => {
  const { manifest } = await openBundleFiles(folders.hnsw);
  const again = await openBundleFiles(await writeIndexed('hnsw'));
  t.same(again.manifest.files['candidates/als.usearch'], manifest.files['candidates/als.usearch']);
});

t.test('a bundle whose index was changed is refused, by the server and by whoever copies it', async (t) => {
  const path = join(folders.hnsw, 'candidates/als.usearch');
  const bytes = await readFile(path);
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  await writeFile(path, changed);
  const problems = [/^candidates\/als\.(safetensors: candidates\/als\.)?usearch has changed/];
  await t.rejects(openEngine(folders.hnsw, scenarios), { code: 'INVALID_BUNDLE', problems });
  await t.rejects(openBundleFiles(folders.hnsw), { code: 'INVALID_BUNDLE', problems });
  await writeFile(path, bytes);
});

t.test('a manifest whose graph has no file, or an unlisted one, is refused', async (t) => {
  const good = await openBundleFiles(folders.hnsw);
  const { version: _, sources, ...manifest } = good.manifest;
  const withIndex = (index: object) => ({
    manifest: { ...manifest, sources: { ...sources, als: { ...sources['als'], index: index as ItemIndex } } },
    files: contentsOf(good),
  });
  const { recall } = sources['als']!.index!;
  await t.rejects(writeBundleFiles(join(base, 'a'), withIndex({ kind: 'hnsw', recall })), {
    code: 'INVALID_BUNDLE',
    problems: ['sources.als: its index of kind hnsw needs a file and an oversampling'],
  });
  const unlisted = { kind: 'hnsw', recall, file: 'no.usearch', oversampling: 2 };
  await t.rejects(writeBundleFiles(join(base, 'b'), withIndex(unlisted)), {
    code: 'INVALID_BUNDLE',
    problems: ['sources.als.index: its file "no.usearch" is not listed in files'],
  });
});
