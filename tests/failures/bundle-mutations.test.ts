import { appendFile, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { formatChecksum, openBundleFiles } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { CHECKSUM_FILE, hashFeatureOrder, type Manifest, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import { promoteBundle } from '../../src/bundle/promote-bundle.js';
import { Gates } from '../../src/bundle/promotion-gates.js';
import { parseTensorFile, encodeTensorFile } from '../../src/bundle/tensor-file.js';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { readConfigFile } from '../../src/config/read-config-file.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { compareOnTrial } from '../../src/serving/bundle-life/compare-latency.js';
import { createServedBundle } from '../../src/serving/bundle-life/served-bundle.js';
import { watchChannels } from '../../src/serving/bundle-life/watch-channels.js';
import { sampleSummary } from '../bundle/sample-summary.js';
import { LONG } from '../support/long-tests.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

// Whatever befalls a bundle between its training and a promotion, it does not become the current one: not by `promote`, not where
// somebody points the channel at it by hand, not while a server watches.

const SEED = 20261122;
const RUNS = LONG.skip === false ? 300 : 60;
t.setTimeout(1_200_000);

/** Shipped, but for what depends on how busy the machine is. */
const GATES: Gates = {
  ...readConfigFile(Gates, 'configs/gates.yaml'),
  maximumLatencyRatio: 1000,
  maximumP99Ms: 60_000,
};

const dir = t.testdir({ one: {}, two: {} });
const root = join(dir, 'models');
const registry = createFolderRegistry(root, { by: 'ann' });
const good = await publishEvaluated('one', '2026-01-02T03:04:05Z');
const next = await publishEvaluated('two', '2026-02-02T03:04:05Z');
const whole = join(dir, 'whole');
await cp(join(root, next), whole, { recursive: true });
const published = join(root, next);
const { manifest: nextManifest } = await openBundleFiles(whole);

/** A trained bundle, as it is once it was evaluated. */
async function publishEvaluated(name: string, createdAt: string): Promise<string> {
  const { folder } = await writeSmallBundle(join(dir, name), { createdAt });
  const files = await openBundleFiles(folder);
  const { version: _, ...draft } = files.manifest;
  const manifest = { ...draft, metrics: sampleSummary() };
  await writeBundleFiles(folder, { manifest, files: contentsOf(files) }, { replace: true });
  return registry.publish(folder);
}

const service = createServedBundle({ registry, channel: 'production', scenarios: SCENARIOS });
await registry.point('production', good);
await service.reload();
t.teardown(() => service.close());
const watch = watchChannels({
  registry,
  server: {
    versions: () => new Map([['production', [service.describe()?.version]]]),
    reload: () => service.reload(),
  },
  logger: pino({ level: 'silent' }),
  metrics: createMetrics({ processMetrics: false }).bundle,
  intervalMs: 3_600_000,
  random: () => 0.5,
  now: () => performance.now(),
});
t.teardown(() => watch.stop());

function promote() {
  const options = { scenarios: SCENARIOS, memoryLimitBytes: 1e9 };
  return promoteBundle(registry, {
    version: next,
    gates: GATES,
    tryOut: (folder, findCurrent) => compareOnTrial(folder, findCurrent, options),
  });
}

async function restore(): Promise<void> {
  await rm(published, { recursive: true, force: true });
  await cp(whole, published, { recursive: true });
}

/** What a promotion was refused with; fails when it was not, or when it moved anything. */
async function requireRefusal(): Promise<ShortlistError> {
  const decisions = (await registry.readAudit()).length;
  const error: unknown = await promote().then(
    () => new Error('it was promoted'),
    (error: unknown) => error,
  );
  if (!(error instanceof ShortlistError)) throw error;
  await requireGood();
  const told = (await registry.readAudit()).slice(decisions);
  if (error.code !== 'BUNDLE_NOT_FOUND' && told[0]?.passed !== false) throw new Error('no record');
  return error;
}

/** The channel points at the good bundle, it is what serves, and nothing of it is lost. */
async function requireGood(): Promise<void> {
  await watch.look();
  const { version } = await registry.readChannel('production');
  if (version !== good) throw new Error(`production points at ${version}`);
  await requireServing(good);
  await openBundleFiles(join(root, good));
}

async function requireServing(version: string): Promise<void> {
  const subject = { userId: 'u3' };
  const request = { subject, scenario: 'home', limit: 5, exclude: [], filters: [], explain: 'none' } as const;
  const { facts } = await service.recommend(request, {});
  if (facts.bundle !== version) throw new Error(`${facts.bundle} serves`);
  if (facts.itemIds.length !== 5 || facts.degraded.length > 0) throw new Error('its answers are poor');
}

/** As an editor does it: the registry would look at the bundle before it points at it. */
async function pointByHand(): Promise<void> {
  const file = join(root, 'channels', 'production.json');
  const { dataset } = await registry.readChannel('production');
  const pointer = { version: next, previous: [good], updatedAt: '2026-01-01T00:00:00Z', dataset };
  await writeFile(file, JSON.stringify(pointer));
}

/** Somebody points the channel at it by hand: neither the watch nor a reload swaps it in. */
async function requireRefusalByServer(): Promise<void> {
  await pointByHand();
  await watch.look();
  await requireServing(good);
  const error: unknown = await service.reload().then(
    () => new Error('it was swapped in'),
    (error: unknown) => error,
  );
  if (!(error instanceof ShortlistError)) throw error;
  await requireServing(good);
  await registry.rollback('production');
}

/** The sound bundle can be promoted, is swapped in by the watch, and goes by a rollback. */
async function requirePromotion(t: Test): Promise<void> {
  await restore();
  t.equal((await promote()).pointer.version, next);
  await watch.look();
  await requireServing(next);
  await registry.rollback('production');
  await watch.look();
  await requireServing(good);
}

const FILES = [...Object.keys(nextManifest.files), MANIFEST_FILE, CHECKSUM_FILE];

type Mutation = { readonly file: string } & (
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'append' | 'overwrite'; readonly bytes: Uint8Array }
  | { readonly kind: 'remove' | 'empty' | 'folder' }
  | { readonly kind: 'swap' | 'link'; readonly other: string }
);

const file = fc.constantFrom(...FILES);
const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), file, at, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ kind: fc.constant('cut' as const), file, at }),
  fc.record({
    kind: fc.constantFrom('append' as const, 'overwrite' as const),
    file,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
  }),
  fc.record({ kind: fc.constantFrom('remove' as const, 'empty' as const, 'folder' as const), file }),
  fc.record({ kind: fc.constantFrom('swap' as const, 'link' as const), file, other: file }),
);

/** Does it; false when it changed nothing. */
async function inflict(mutation: Mutation): Promise<boolean> {
  const path = join(published, mutation.file);
  const bytes = await readFile(path);
  const { length } = bytes;
  switch (mutation.kind) {
    case 'flip':
      bytes[Math.floor(mutation.at * length)]! ^= 1 << mutation.bit;
      await writeFile(path, bytes);
      return true;
    case 'cut':
      await writeFile(path, bytes.subarray(0, Math.floor(mutation.at * length)));
      return true;
    case 'append':
      await appendFile(path, mutation.bytes);
      return true;
    case 'overwrite': {
      const changed = Buffer.from(bytes);
      changed.set(mutation.bytes.subarray(0, length));
      await writeFile(path, changed);
      return !changed.equals(bytes);
    }
    case 'empty':
      await writeFile(path, '');
      return true;
    case 'remove':
      await rm(path);
      return true;
    case 'folder':
      await rm(path);
      await mkdir(path);
      return true;
    default: {
      const other = join(published, mutation.other);
      if (bytes.equals(await readFile(other))) return false;
      const aside = join(published, 'aside');
      await rename(path, aside);
      if (mutation.kind === 'link') await symlink(other, path);
      else {
        await rename(other, path);
        await rename(aside, other);
      }
      return true;
    }
  }
}

t.test('whatever becomes of its files, a bundle is refused by name and the good one serves on', async (t) => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutation, async (mutation) => {
      await restore();
      fc.pre(await inflict(mutation));
      const { message, problems } = await requireRefusal();
      const named = 'other' in mutation ? [mutation.file, mutation.other] : [mutation.file];
      // The manifest and its checksum vouch for each other.
      if (!named.some((name) => message.includes(name.replace('.sha256', '')))) throw new Error(message);
      if (problems.length === 0) throw new Error('no problem is told');
      await requireRefusalByServer();
      refused++;
    }),
    { seed: SEED, numRuns: RUNS },
  );
  t.ok(refused >= RUNS);
  await requirePromotion(t);
});

t.test('a publish that was copied in part is refused, however far it came', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.subarray(FILES, { maxLength: FILES.length - 1 }), async (copied) => {
      await rm(published, { recursive: true, force: true });
      await mkdir(published);
      for (const name of copied) await cp(join(whole, name), join(published, name), { recursive: true });
      const { code, message } = await requireRefusal();
      const missing = FILES.filter((name) => !copied.includes(name));
      if (code === 'INVALID_BUNDLE' && !missing.some((name) => message.includes(name)))
        throw new Error(message);
      await requireRefusalByServer();
    }),
    { seed: SEED, numRuns: RUNS / 6 },
  );
  await requirePromotion(t);
});

t.test('a channel file that is garbage moves nothing, and says which file it is', async (t) => {
  await restore();
  const path = join(root, 'channels/production.json');
  const sound = await readFile(path, 'utf8');
  const garbage = fc.oneof(
    fc.string(),
    fc.json(),
    fc.nat({ max: sound.length - 2 }).map((length) => sound.slice(0, length)),
  );
  await fc.assert(
    fc.asyncProperty(garbage, async (text) => {
      await writeFile(path, text);
      const error: unknown = await promote().catch((error: unknown) => error);
      await watch.look();
      const reload: unknown = await service.reload().catch((error: unknown) => error);
      for (const refusal of [error, reload]) {
        if (!(refusal instanceof ShortlistError) || !refusal.message.includes('channels/production.json'))
          throw refusal;
      }
      await requireServing(good);
      if ((await readFile(path, 'utf8')) !== text) throw new Error('it was written to');
    }),
    { seed: SEED, numRuns: 30 },
  );
  await writeFile(path, sound);
  await requirePromotion(t);
});

/** Writes the manifest with a checksum that is right. */
async function writeManifest(manifest: unknown): Promise<void> {
  const text = JSON.stringify(manifest);
  await writeFile(join(published, MANIFEST_FILE), text);
  await writeFile(join(published, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
}

type Changes = Partial<Record<keyof Manifest, unknown>>;

/** Forgeries whose every hash is right: only what they say gives them away. */
const FORGERIES: readonly [what: string, changes: (manifest: Manifest) => Changes, told: RegExp][] = [
  ['an older format', () => ({ formatVersion: 0 }), /format version is 0, this release reads/],
  ['a newer format', () => ({ formatVersion: 99 }), /format version is 99/],
  ['another version', () => ({ version: '20200101T000000Z-00000000' }), /the folder is named/],
  ['no evaluation', () => ({ metrics: {} }), /not evaluated/],
  ['half an evaluation', () => ({ metrics: { ...sampleSummary(), ndcg: undefined } }), /not evaluated/],
  ['figures that are no numbers', () => ({ metrics: { ...sampleSummary(), lift: 'NaN' } }), /not evaluated/],
  [
    'a worse evaluation',
    () => ({ metrics: sampleSummary({ ndcg: { 'two-stage': 0.1, trending: 0.05 } }) }),
    /maximumDrop: 0\.39/,
  ],
  [
    'an interval that reaches 0',
    () => ({ metrics: sampleSummary({ difference: { mean: 0.01, low: -0.01, high: 0.03 } }) }),
    /liftIntervalAboveZero/,
  ],
  [
    'another feature order',
    ({ ranker }) => ({ ranker: { ...ranker, featureOrder: ranker.featureOrder.toReversed() } }),
    /featureOrderHash/,
  ],
  [
    'fewer features than the model takes',
    ({ ranker }) => {
      const featureOrder = ranker.featureOrder.slice(1);
      return { ranker: { ...ranker, featureOrder, featureOrderHash: hashFeatureOrder(featureOrder) } };
    },
    /ranker/,
  ],
  [
    'features that nothing computes',
    ({ ranker }) => {
      const featureOrder = ranker.featureOrder.with(0, 'item.unheard-of');
      return { ranker: { ...ranker, featureOrder, featureOrderHash: hashFeatureOrder(featureOrder) } };
    },
    /unheard-of/,
  ],
  [
    'fewer interactions',
    ({ dataset }) => ({ dataset: { ...dataset, interactions: 1 } }),
    /minimumSizeShare: .* interactions/,
  ],
  [
    'fewer rows than its tables have',
    ({ files, catalogue, views }) => {
      const rows = (name: string) => ({ [name]: { ...files[name], rows: 5 } });
      return { files: { ...files, ...rows(catalogue.file), ...rows(views.items.file) } };
    },
    /rows|minimumSizeShare/,
  ],
  [
    'more rows than its tables have',
    ({ files, catalogue, views }) => {
      const rows = (name: string) => ({ [name]: { ...files[name], rows: 5000 } });
      return { files: { ...files, ...rows(catalogue.file), ...rows(views.items.file) } };
    },
    /rows/,
  ],
  [
    'a source that was left out',
    ({ sources }) => ({ sources: { ...sources, trending: { skipped: 'no time' } } }),
    /feature 'trending.score' is computed by no feature group/,
  ],
  [
    'attributes that nobody may filter by',
    ({ catalogue }) => ({
      catalogue: {
        ...catalogue,
        attributes: catalogue.attributes.map((one) => ({ ...one, filterable: false })),
      },
    }),
    /schemaCompatible: .*filterable/,
  ],
];

for (const [what, change, told] of FORGERIES) {
  t.test(`a bundle with ${what} is refused though its hashes are right`, async (t) => {
    await restore();
    await writeManifest({ ...nextManifest, ...change(nextManifest) });
    t.match((await requireRefusal()).message, told);
  });
}

/** Writes another content of a file, and everything that follows from it, hashes and version too. */
async function replaceContent(name: string, bytes: Uint8Array): Promise<string> {
  const files = await openBundleFiles(whole);
  const { version: _, ...draft } = files.manifest;
  const contents = new Map([...contentsOf(files), [name, { bytes }]]);
  const folder = join(dir, 'forged');
  const { version } = await writeBundleFiles(folder, { manifest: draft, files: contents }, { replace: true });
  await rm(join(root, version), { recursive: true, force: true });
  await rename(folder, join(root, version));
  return version;
}

t.test('numbers that are none are refused, in every tensor, though every hash is right', async (t) => {
  const files = await openBundleFiles(whole);
  const names = Object.keys(nextManifest.files).filter((name) => name.endsWith('.safetensors'));
  t.ok(names.length > 3);
  for (const name of names) {
    const { tensors, metadata } = parseTensorFile(files.bytesOf(name), name);
    for (const [tensor, { shape, data }] of tensors) {
      if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length === 0) continue;
      const broken = data.slice().fill(Number.NaN);
      const bytes = encodeTensorFile({
        tensors: new Map([...tensors, [tensor, { shape, data: broken }]]),
        metadata,
      });
      const version = await replaceContent(name, bytes);
      const options = { scenarios: SCENARIOS, memoryLimitBytes: 1e9 };
      const error: unknown = await promoteBundle(registry, {
        version,
        gates: GATES,
        tryOut: (folder, findCurrent) => compareOnTrial(folder, findCurrent, options),
      }).catch((error: unknown) => error);
      t.match(error, { code: /INVALID_BUNDLE|GATES_FAILED/ }, `${name}: ${tensor}`);
      await registry.remove(version);
      await requireGood();
    }
  }
});

/** Paths to everything in a JSON value that is no object or list. */
function listLeaves(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => listLeaves(inner, [...path, key]));
}

function changeAt(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const copy: Record<string, unknown> = Array.isArray(value)
    ? ([...(value as unknown[])] as unknown as Record<string, unknown>)
    : { ...(value as Record<string, unknown>) };
  copy[key] = changeAt(copy[key], rest, to);
  return copy;
}

t.test(
  'any field of the manifest may be another, hash and all: it is refused, or it serves well',
  async (t) => {
    const leaves = listLeaves(nextManifest);
    const outcomes = { refused: 0, promoted: 0 };
    const value = fc.oneof(fc.constant(undefined), fc.constant(null), fc.string(), fc.double(), fc.integer());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...leaves), value, async (path, to) => {
        await restore();
        await writeManifest(changeAt(nextManifest, path, to));
        const error: unknown = await promote().catch((error: unknown) => error);
        if (error instanceof Error) {
          if (!(error instanceof ShortlistError)) throw error;
          outcomes.refused++;
          return requireGood();
        }
        outcomes.promoted++;
        await watch.look();
        await requireServing(next);
        await registry.rollback('production');
        return requireGood();
      }),
      { seed: SEED, numRuns: LONG.skip === false ? 100 : 12 },
    );
    t.comment(outcomes);
    t.ok(outcomes.refused > 0);
    await requirePromotion(t);
  },
);

t.test('a copy is promoted as the original is: it is no stranger that is refused', async (t) => {
  await requirePromotion(t);
  t.same((await readdir(published)).sort(), (await readdir(whole)).sort());
});
