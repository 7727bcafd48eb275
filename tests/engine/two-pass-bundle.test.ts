import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { encodeTensorFile } from '../../src/bundle/tensor-file.js';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { computeGram } from '../../src/candidates/als-solver.js';
import { ALS, alsToTensors } from '../../src/candidates/als.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { closeEngine } from '../../src/engine/close-engine.js';
import { listItemSearches } from '../../src/engine/open-item-search.js';
import { openBundle } from '../../src/engine/open-engine.js';
import { packContents, unpackContents } from '../../src/engine/read-bundle.js';
import { recommend } from '../../src/pipeline/recommend.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { openComputePool } from '../../src/serving/compute/compute-pool.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

const small = await writeSmallBundle(t.testdir({}), { world: { items: 500 } });
const ITEMS = small.dataset.catalogue.entities.size;
/** As many values as two passes pay for. */
const DIMENSIONS = Math.ceil((1 << 16) / ITEMS);

/** The small bundle with item vectors of many dimensions. */
async function writeWide(folder: string): Promise<string> {
  const random = createSeededRandom(1);
  const factors = Float32Array.from({ length: ITEMS * DIMENSIONS }, () => random.normal());
  const als = alsToTensors({
    dimensions: DIMENSIONS,
    factors,
    gram: computeGram(factors, DIMENSIONS),
    unobservedWeight: 0.1,
    regularisation: 1,
    regularisationExponent: 1,
    partnerCount: ITEMS,
    maxHistory: 1,
  });
  return writeChanged(folder, encodeTensorFile(als));
}

/** The small bundle with this as the artefact of `als`. */
async function writeChanged(folder: string, bytes: Uint8Array): Promise<string> {
  const files = await openBundleFiles(small.folder);
  const { version: _, ...manifest } = files.manifest;
  await writeBundleFiles(folder, { manifest, files: new Map([...contentsOf(files), [ALS.file, { bytes }]]) });
  return folder;
}

t.test('threads share the bytes that a bundle is searched by, and answer as the pipeline does', async (t) => {
  const alone = { ...SCENARIOS.get('home')!, name: 'alone', sources: { als: 9 }, maxCandidates: 9 };
  const scenarios = new Map([...SCENARIOS, ['alone', alone]]);
  const bundle = await openBundle(await writeWide(join(t.testdir({}), 'wide')), scenarios);
  const { contents, engine } = bundle;
  t.equal(engine.searches['als'], 'two-pass');
  t.equal(unpackContents(packContents(contents)).rows.get(ALS.file), contents.rows.get(ALS.file));
  const pool = await openComputePool(
    { contents: packContents(contents), scenarios },
    { workers: 2, maxBatch: 4, maxWaiting: 100, minDepth: 1, clock: () => engine.knownUntil },
  );
  const userIds = small.dataset.users.entities.ids.slice(0, 4);
  for (const userId of userIds) {
    const subject = { userId };
    const request: RecommendationRequest = {
      subject,
      scenario: 'alone',
      limit: 3,
      exclude: [],
      filters: [],
      explain: 'sources',
    };
    const { slate } = await pool.run(request, { deadline: Number.MAX_SAFE_INTEGER });
    t.same(slate, (await recommend(request, engine)).slate);
    t.same(slate.degraded, []);
    t.equal(slate.items.length, 3);
  }
  await pool.close();
  await closeEngine(engine);
});

t.test(
  'how a source finds items is said by name: small ones score them all, an engine goes first',
  async (t) => {
    const { contents, engine } = await openBundle(small.folder, SCENARIOS);
    t.same(contents.rows, new Map());
    t.same(engine.searches, { als: 'float32' });
    const engineOptions = { url: 'postgres://nowhere' } as Parameters<typeof listItemSearches>[1];
    t.same(listItemSearches(contents, engineOptions), { als: 'pgvector' });
    await closeEngine(engine);
  },
);

t.test('an artefact that is no file of tensors is refused where its source is opened', async (t) => {
  const folder = await writeChanged(join(t.testdir({}), 'damaged'), Buffer.from('no tensors'));
  const problems = [/^candidates\/als\.safetensors/];
  await t.rejects(openBundle(folder, SCENARIOS), { code: 'INVALID_BUNDLE', problems });
});
