import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BundleRegistry } from '../../src/bundle/bundle-registry.js';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createRegistry } from '../../src/bundle/create-registry.js';
import { findUnusedVersions } from '../../src/bundle/find-unused-versions.js';
import { createS3Store } from '../../src/bundle/s3-store.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from './small-bundle.js';
import { startS3 } from './start-s3.js';

// What every registry does, whatever it is kept in: a folder, and a bucket on a real S3 server.

const now = (): Date => new Date('2026-11-22T01:00:00Z');
const by = 'ann';

interface Workshop {
  readonly folder: string;
  readonly registry: BundleRegistry;
  publish(day: number): Promise<string>;
}

type Open = (t: Test, folder: string) => Promise<BundleRegistry>;

const REGISTRIES: Readonly<Record<string, Open>> = {
  'a folder': async (_t, folder) => createFolderRegistry(join(folder, 'models'), { now, by }),
  'a bucket': async (t, folder) => {
    const { endpoint } = await startS3(t, { bucket: 'bundles', folder: join(folder, 's3') });
    const address = 's3://bundles/team/shop';
    return createRegistry(await createS3Store({ address, endpoint, cacheDir: join(folder, 'cache') }), {
      now,
      by,
    });
  },
};

for (const [kind, open] of Object.entries(REGISTRIES)) {
  const openWorkshop = async (t: Test): Promise<Workshop> => {
    const folder = t.testdir();
    const registry = await open(t, folder);
    const publish = async (day: number): Promise<string> => {
      const trained = join(folder, `trained-${day}`);
      const createdAt = `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`;
      await writeBundleFiles(trained, createSmallBundle({ createdAt }), { replace: true });
      const version = await registry.publish(trained);
      await rm(trained, { recursive: true });
      return version;
    };
    return { folder, registry, publish };
  };

  t.test(`${kind}: what is published is found whole, and staging points at it`, async (t) => {
    const { registry, publish } = await openWorkshop(t);
    t.same(await registry.list(), []);
    t.same([...(await registry.listChannels())], []);
    const second = await publish(2);
    const first = await publish(1);
    t.same(await registry.list(), [first, second], 'oldest first');
    t.match(await registry.readChannel('staging'), { version: first, previous: [second] });
    const opened = await openBundleFiles(await registry.pathOf(second));
    t.same(opened.manifest, await registry.readManifest(second));
    t.equal(opened.manifest.version, second);
    await t.rejects(registry.pathOf('20200101T000000Z-00000000'), { code: 'BUNDLE_NOT_FOUND' });
    await t.rejects(registry.readManifest('../x'), { code: 'BUNDLE_NOT_FOUND' });
    await t.rejects(registry.readChannel('production'), { code: 'BUNDLE_NOT_FOUND' });
  });

  t.test(`${kind}: production is promoted and rolled back, and the log says by whom`, async (t) => {
    const { registry, publish } = await openWorkshop(t);
    const [first, second] = [await publish(1), await publish(2)];
    await registry.promote(first);
    await registry.promote();
    t.match(await registry.readChannel('production'), { version: second, previous: [first] });
    t.match(await registry.rollback('production'), { version: first, previous: [] });
    await t.rejects(registry.rollback('production'), { code: 'BUNDLE_NOT_FOUND' });
    t.same([...(await registry.listChannels()).keys()].sort(), ['production', 'staging']);
    const at = now().toISOString();
    t.same(await registry.readAudit(), [
      { at, by, action: 'publish', version: first, channel: 'staging', before: null },
      { at, by, action: 'publish', version: second, channel: 'staging', before: first },
      { at, by, action: 'rollback', version: first, channel: 'production', before: second },
    ]);
  });

  t.test(`${kind}: what nothing needs can be removed, and nothing else is named for it`, async (t) => {
    const { registry, publish } = await openWorkshop(t);
    const versions: string[] = [];
    for (const day of [1, 2, 3, 4, 5, 6]) versions.push(await publish(day));
    await registry.promote(versions[1]);
    await registry.promote(versions[2]);
    t.same(await findUnusedVersions(registry, { keep: 2 }), [versions[0], versions[3]]);
    t.same(await findUnusedVersions(registry, { keep: 6 }), []);
    await registry.remove(versions[0]!);
    t.same(await registry.list(), versions.slice(1));
    await t.rejects(registry.pathOf(versions[0]!), { code: 'BUNDLE_NOT_FOUND' });
    await t.rejects(registry.remove(versions[0]!), { code: 'BUNDLE_NOT_FOUND' });
  });
}
