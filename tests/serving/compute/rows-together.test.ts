import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../src/bundle/bundle-files.js';
import { contentsOf, writeBundleFiles } from '../../../src/bundle/write-bundle-files.js';
import type { FeatureMatrix } from '../../../src/features/feature-matrix.js';
import { importRanker } from '../../../src/offline/exchange/import-ranker.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { closeEngine } from '../../../src/engine/close-engine.js';
import { openBundle, openEngine } from '../../../src/engine/open-engine.js';
import { packContents } from '../../../src/engine/read-bundle.js';
import { recommend } from '../../../src/pipeline/recommend.js';
import { createBatchRanker } from '../../../src/ranking/batch-ranker.js';
import { openComputePool } from '../../../src/serving/compute/compute-pool.js';
import { DEPENDENT } from '../../support/ranker-models.js';
import { PROVENANCE, SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const LISTWISE = 'that normalises by the rows, as batch normalisation in training does';

const dir = t.testdir({});
const trained = await writeSmallBundle(dir);
const { featureOrder } = trained.manifest.ranker;
const features = featureOrder.filter((name) => name.endsWith('.score_standardised'));
const model = join(dir, 'listwise.onnx');
await writeFile(model, DEPENDENT[LISTWISE]!(features.length));
const options = {
  features: { features },
  scenario: SCENARIOS.get('home')!,
  coldStart: SCENARIOS.get('popular'),
  provenance: { ...PROVENANCE, createdAt: '2026-02-03T04:05:06Z' },
  progress: SILENT_PROGRESS,
};

t.test('a ranker that looks at the whole list is refused, unless it is declared so', async (t) => {
  await t.rejects(importRanker(trained.folder, model, options), {
    code: 'INVALID_BUNDLE',
    problems: [/^it does not score a row by itself: row \d+ gets .*--rows together/],
  });
  const { manifest } = await importRanker(trained.folder, model, { ...options, rows: 'together' });
  t.equal(manifest.ranker.rows, 'together');
});

t.test('it answers for users asked together what it answers for each alone', async (t) => {
  const bundle = await openBundle(trained.folder, SCENARIOS);
  t.teardown(() => closeEngine(bundle.engine));
  const pool = await openComputePool(
    { contents: packContents(bundle.contents), scenarios: SCENARIOS },
    {
      workers: 1,
      maxBatch: 16,
      maxWaiting: 1000,
      minDepth: 1,
      clock: () => bundle.engine.knownUntil,
    },
  );
  t.teardown(() => pool.close());
  const requests = bundle.engine.users.ids.slice(0, 48).map((userId) => ({
    subject: { userId },
    scenario: 'home',
    limit: 10,
    exclude: [],
    filters: [],
    explain: 'none' as const,
  }));
  const found = await Promise.all(
    requests.map((request) => pool.run(request, { deadline: Number.MAX_SAFE_INTEGER })),
  );
  for (const [index, request] of requests.entries()) {
    const { slate } = await recommend(request, bundle.engine);
    t.same(found[index]!.slate, slate);
  }

  await t.test('negative control: rows of two requests in one run have other scores', async (t) => {
    const matrices: FeatureMatrix[] = [];
    const { ranker } = bundle.engine;
    const rank = (matrix: FeatureMatrix): Promise<Float32Array> => {
      matrices.push(matrix);
      return ranker.rank(matrix);
    };
    for (const request of requests.slice(0, 2))
      await recommend(request, { ...bundle.engine, ranker: { ...ranker, rank } });
    const alone = await Promise.all(matrices.map((matrix) => ranker.rank(matrix)));
    const batch = createBatchRanker(ranker);
    const mixed = await Promise.all(matrices.map((matrix) => batch.rank(matrix)));
    t.notSame(mixed, alone);
  });
});

t.test('a bundle that does not declare it is not opened', async (t) => {
  const bundle = await openBundleFiles(trained.folder);
  const { version: _, ...manifest } = bundle.manifest;
  const { rows: __, ...ranker } = manifest.ranker;
  const folder = join(dir, 'undeclared');
  await writeBundleFiles(folder, { manifest: { ...manifest, ranker }, files: contentsOf(bundle) });
  await t.rejects(openEngine(folder, SCENARIOS), {
    code: 'INVALID_BUNDLE',
    problems: [/^ranker\.onnx: .*does not score a row by itself/],
  });
});
