import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import t, { type Test } from 'tap';
import { createRegistry } from '../../src/bundle/create-registry.js';
import { createS3Store } from '../../src/bundle/s3-store.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from './small-bundle.js';
import { startS3 } from './start-s3.js';

async function openWorkshop(t: Test) {
  const folder = t.testdir();
  const { endpoint } = await startS3(t, { bucket: 'bundles', folder: join(folder, 's3') });
  const client = new S3Client({
    endpoint,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  const trained = join(folder, 'trained');
  await writeBundleFiles(trained, createSmallBundle({ createdAt: '2026-01-01T00:00:00Z' }));
  return {
    folder,
    trained,
    openAt: async (cache: string) => {
      const store = await createS3Store({ address: 's3://bundles', endpoint, cacheDir: join(folder, cache) });
      return createRegistry(store, { now: () => new Date(), by: 'ann' });
    },
    put: (Key: string, Body: string) => client.send(new PutObjectCommand({ Bucket: 'bundles', Key, Body })),
    remove: (Key: string) => client.send(new DeleteObjectCommand({ Bucket: 'bundles', Key })),
  };
}

t.test('a version is fetched once, and what was fetched serves while it is cached', async (t) => {
  const { folder, trained, openAt, remove } = await openWorkshop(t);
  const version = await (await openAt('one')).publish(trained);
  const other = await openAt('two');
  const path = await other.pathOf(version);
  await remove(`${version}/ranker.onnx`);
  t.equal(await other.pathOf(version), path);
  await rm(join(folder, 'two'), { recursive: true });
  await t.rejects(other.pathOf(version), {
    code: 'INVALID_BUNDLE',
    problems: [/^ranker.onnx .*missing|not there/],
  });
});

t.test('what came changed out of the bucket is refused and does not stay in the cache', async (t) => {
  const { folder, trained, openAt, put } = await openWorkshop(t);
  const version = await (await openAt('one')).publish(trained);
  await put(`${version}/ranker.onnx`, 'not it');
  const other = await openAt('two');
  await t.rejects(other.pathOf(version), { code: 'INVALID_BUNDLE', message: /ranker.onnx/ });
  const [cache] = await readdir(join(folder, 'two'));
  t.same(await readdir(join(folder, 'two', cache!)), []);
});

t.test('a version whose manifest is not there yet is not there', async (t) => {
  const { trained, openAt, remove } = await openWorkshop(t);
  const registry = await openAt('one');
  const version = await registry.publish(trained);
  await remove(`${version}/manifest.json`);
  t.same(await registry.list(), []);
  await t.rejects((await openAt('two')).pathOf(version), { code: 'BUNDLE_NOT_FOUND' });
});

t.test('a channel that was damaged in the bucket is refused by name', async (t) => {
  const { openAt, put } = await openWorkshop(t);
  await put('channels/staging.json', '{');
  await t.rejects((await openAt('one')).readChannel('staging'), {
    code: 'INVALID_BUNDLE',
    message: /s3:\/\/bundles\/channels\/staging.json is not sound/,
  });
});

t.test('two who fetch a version at the same time both have it', async (t) => {
  const { trained, openAt } = await openWorkshop(t);
  const version = await (await openAt('one')).publish(trained);
  const [a, b] = [await openAt('two'), await openAt('two')];
  const [first, second] = await Promise.all([a.pathOf(version), b.pathOf(version)]);
  t.equal(first, second);
});
