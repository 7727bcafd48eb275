import {
  appendFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { BundleRegistry } from '../../src/bundle/bundle-registry.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSmallBundle } from './small-bundle.js';

interface Workshop {
  readonly root: string;
  readonly registry: BundleRegistry;
  /** Trains a bundle made at a day of January 2026 and returns its folder. */
  train(day: number): Promise<string>;
}

function openWorkshop(t: Test): Workshop {
  const folder = t.testdir();
  const root = join(folder, 'models');
  return {
    root,
    registry: createFolderRegistry(root, { now: () => new Date('2026-11-22T01:00:00Z'), by: 'ann' }),
    train: async (day) => {
      const trained = join(folder, `trained-${day}`);
      const createdAt = `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`;
      await writeBundleFiles(trained, createSmallBundle({ createdAt }), { replace: true });
      return trained;
    },
  };
}

/** Everything below a folder, with contents, to see that nothing moved. */
async function snapshot(root: string): Promise<Map<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.sort().map(async (file) => [file, await readFile(file, 'latin1')] as const)),
  );
}

t.test(
  'publishing puts a version into the registry and points staging at it, production stays',
  async (t) => {
    const { root, registry, train } = openWorkshop(t);
    t.strictSame(await registry.list(), []);
    const version = await registry.publish(await train(1));
    t.match(version, /^20260101T000000Z-[0-9a-f]{8}$/);
    t.strictSame(await registry.list(), [version]);
    t.equal(await registry.pathOf(version), join(root, version));
    t.strictSame(await registry.readChannel('staging'), {
      version,
      dataset: 'small',
      previous: [],
      updatedAt: '2026-11-22T01:00:00.000Z',
    });
    await t.rejects(registry.readChannel('production'), {
      code: 'BUNDLE_NOT_FOUND',
      message: new RegExp(
        `channel production .* points at no version; published are ${version}.*shortlist promote`,
      ),
    });
    t.strictSame(
      (await readdir(root)).sort(),
      [version, 'audit.jsonl', 'channels'],
      'no temporary folder is left',
    );
    t.strictSame(await readdir(join(root, 'channels')), ['staging.json']);
  },
);

t.test('a published version is the trained bundle byte by byte, and outlives it', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const trained = await train(1);
  const version = await registry.publish(trained);
  const [before, after] = [await snapshot(trained), await snapshot(join(root, version))];
  t.strictSame([...after.values()], [...before.values()]);
});

t.test('versions are listed oldest first', async (t) => {
  const { registry, train } = openWorkshop(t);
  const third = await registry.publish(await train(3));
  const first = await registry.publish(await train(1));
  const second = await registry.publish(await train(2));
  t.strictSame(await registry.list(), [first, second, third]);
});

t.test('publishing the same bundle again only moves staging', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const first = await registry.publish(await train(1));
  const second = await registry.publish(await train(2));
  const before = await snapshot(join(root, first));
  t.equal(await registry.publish(await train(1)), first);
  t.strictSame(await snapshot(join(root, first)), before);
  t.match(await registry.readChannel('staging'), { version: first, previous: [second, first] });
});

t.test('another bundle with the name of a published version is refused', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  const before = await snapshot(root);
  const trained = `${await train(2)}-other`;
  await writeBundleFiles(trained, createSmallBundle({ version, metrics: { better: true } }));
  await t.rejects(registry.publish(trained), {
    code: 'INVALID_BUNDLE',
    message: /is published already, with other contents than .*trained-2-other/,
  });
  t.strictSame(await snapshot(root), before);
});

t.test('a publish that fails leaves nothing behind and staging where it was', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  await registry.publish(await train(1));
  const before = await snapshot(root);
  const corrupt = await train(2);
  await appendFile(join(corrupt, 'ranker.onnx'), 'x');
  await t.rejects(registry.publish(corrupt), { code: 'INVALID_BUNDLE', message: /ranker.onnx has 8 bytes/ });
  await t.rejects(registry.publish(join(root, 'nowhere')), { code: 'BUNDLE_NOT_FOUND' });

  const { version } = JSON.parse(await readFile(join(await train(3), 'manifest.json'), 'utf8')) as {
    version: string;
  };
  await symlink('nowhere', join(root, version)); // everything is copied, then the last rename fails
  await t.rejects(registry.publish(await train(3)), {
    code: 'INVALID_BUNDLE',
    message: /There is already a bundle at/,
  });
  await rm(join(root, version));
  t.strictSame((await readdir(root)).length, 3);
  t.strictSame(await snapshot(root), before);
});

t.test('a publish that could not point staging copies nothing', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const trained = await train(1);
  await mkdir(root);
  await writeFile(join(root, 'channels'), 'in the way');
  await t.rejects(registry.publish(trained), {
    code: 'INVALID_BUNDLE',
    message: /staging.json is not sound/,
  });
  t.strictSame(await readdir(root), ['channels']);
});

t.test('what a killed publish left is removed a day later, by the next one', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  const leftAt: [string, Date][] = [
    [`.${version}.7c1c1a5e-52d4-4f0f-9a44-7c9f2f6f7a01.tmp`, new Date('2026-11-21T00:59:00Z')],
    [`.${version}.7c1c1a5e-52d4-4f0f-9a44-7c9f2f6f7a02.tmp`, new Date('2026-11-21T01:01:00Z')],
    ['.git', new Date('2020-01-01T00:00:00Z')],
  ];
  for (const [name, time] of leftAt) {
    await mkdir(join(root, name, 'features'), { recursive: true });
    await utimes(join(root, name), time, time);
  }
  const second = await registry.publish(await train(2));
  const stays = [leftAt[1]![0], '.git', version, second, 'audit.jsonl', 'channels'];
  t.strictSame((await readdir(root)).sort(), stays);
});

t.test('a version in a folder with the name of another is not promoted', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  const other = '20260101T000000Z-00000000';
  await rename(join(root, version), join(root, other));
  await t.rejects(registry.promote(other), {
    code: 'INVALID_BUNDLE',
    problems: [
      `manifest.json says version ${version}, the folder is named ${other}: give it its own name back`,
    ],
  });
  await t.rejects(registry.readChannel('production'), { code: 'BUNDLE_NOT_FOUND' });
});

t.test('promoting points production at what staging points at, or at a version', async (t) => {
  const { registry, train } = openWorkshop(t);
  await t.rejects(registry.promote(), {
    code: 'BUNDLE_NOT_FOUND',
    message: /none is published.*shortlist publish/,
  });
  const first = await registry.publish(await train(1));
  const second = await registry.publish(await train(2));
  t.match(await registry.promote(), { version: second, previous: [] });
  t.match(await registry.promote(first), { version: first, previous: [second] });
  t.match(await registry.readChannel('production'), { version: first, previous: [second] });
  t.match(await registry.readChannel('staging'), { version: second, previous: [first] });
});

t.test('promoting what production serves already changes nothing', async (t) => {
  const { registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  await registry.promote();
  t.match(await registry.promote(), { version, previous: [] });
});

t.test('a version that is not there, or not sound any more, is not promoted', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  for (const unknown of ['20200101T000000Z-00000000', '../models', 'channels', '']) {
    await t.rejects(registry.promote(unknown), {
      code: 'BUNDLE_NOT_FOUND',
      message: new RegExp(`There is no version "${unknown}" .*published are ${version}`),
    });
  }
  await appendFile(join(root, version, 'catalogue.parquet'), 'x');
  await t.rejects(registry.promote(), { code: 'INVALID_BUNDLE', message: /catalogue.parquet has/ });
  await t.rejects(registry.readChannel('production'), { code: 'BUNDLE_NOT_FOUND' });
});

t.test('rolling back goes to the version before, and again further back', async (t) => {
  const { registry, train } = openWorkshop(t);
  const versions: string[] = [];
  for (const day of [1, 2, 3]) {
    versions.push(await registry.publish(await train(day)));
    await registry.promote();
  }
  t.match(await registry.rollback('production'), { version: versions[1], previous: [versions[0]] });
  t.match(await registry.rollback('production'), { version: versions[0], previous: [] });
  t.match(await registry.readChannel('staging'), { version: versions[2] }, 'staging stays');
  await t.rejects(registry.rollback('production'), {
    code: 'BUNDLE_NOT_FOUND',
    message: new RegExp(`production has pointed at nothing before ${versions[0]}; published are`),
  });
  t.match(
    await registry.readChannel('production'),
    { version: versions[0] },
    'a refused rollback changes nothing',
  );
  t.match(await registry.promote(), { version: versions[2], previous: [versions[0]] });
  t.match(await registry.rollback('staging'), { version: versions[1] }, 'staging rolls back as well');
});

t.test('a channel says when it was moved', async (t) => {
  const { root, train } = openWorkshop(t);
  const registry = createFolderRegistry(root);
  await registry.publish(await train(1));
  const { updatedAt } = await registry.readChannel('staging');
  t.equal(new Date(updatedAt).toISOString(), updatedAt);
});

t.test('a channel that points nowhere cannot roll back', async (t) => {
  const { registry } = openWorkshop(t);
  await t.rejects(registry.rollback('production'), {
    code: 'BUNDLE_NOT_FOUND',
    message: /none is published/,
  });
});

t.test('rolling back to a version that was removed is refused and changes nothing', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const first = await registry.publish(await train(1));
  const second = await registry.publish(await train(2));
  await rm(join(root, first), { recursive: true });
  await t.rejects(registry.rollback('staging'), {
    code: 'BUNDLE_NOT_FOUND',
    message: new RegExp(`no version "${first}"`),
  });
  t.match(await registry.readChannel('staging'), { version: second, previous: [first] });
});

t.test('a channel remembers its last twenty versions', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const versions = [await registry.publish(await train(1)), await registry.publish(await train(2))];
  for (let moves = 0; moves < 30; moves++) await registry.point('canary', versions[moves % 2]!);
  t.equal((await registry.readChannel('canary')).previous.length, 20);
  t.strictSame((await readdir(join(root, 'channels'))).sort(), ['canary.json', 'staging.json']);
});

t.test('a name that is no channel is refused before it becomes a path', async (t) => {
  const { registry } = openWorkshop(t);
  for (const name of ['../production', 'Production', '', 'a/b', '__proto__']) {
    await t.rejects(registry.readChannel(name), {
      code: 'BUNDLE_NOT_FOUND',
      message: /is not the name of a channel/,
    });
  }
});

t.test('a channel file that is not sound is refused by name', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const version = await registry.publish(await train(1));
  const path = join(root, 'channels', 'staging.json');
  const cases: [string, RegExp][] = [
    ['', /staging.json is not sound.*\n  - it is not JSON/],
    ['{"version"', /it is not JSON/],
    ['null', /must be object/],
    [
      JSON.stringify({ version: '../../etc', previous: [], updatedAt: '' }),
      /version: must match pattern .* it is "..\/..\/etc"/,
    ],
    [JSON.stringify({ version, previous: ['x'], updatedAt: '' }), /previous\[0\]: must match pattern/],
  ];
  for (const [content, message] of cases) {
    await writeFile(path, content);
    await t.rejects(registry.readChannel('staging'), { code: 'INVALID_BUNDLE', message }, content);
  }
});

t.test(
  'a reader sees a moving channel point at one version or the other, never at half of one',
  async (t) => {
    const { registry, train } = openWorkshop(t);
    const versions = [await registry.publish(await train(1)), await registry.publish(await train(2))];
    const move = async (): Promise<void> => {
      for (let moves = 0; moves < 50; moves++) await registry.point('staging', versions[moves % 2]!);
    };
    const seen = new Set<string>();
    const read = async (): Promise<void> => {
      for (let reads = 0; reads < 500; reads++) seen.add((await registry.readChannel('staging')).version);
    };
    await t.resolves(Promise.all([move(), read(), read()]));
    t.ok([...seen].every((version) => versions.includes(version)));
  },
);

t.test('channels moved at the same moment end at one of the versions, with a sound file', async (t) => {
  const { root, registry, train } = openWorkshop(t);
  const versions = [await registry.publish(await train(1)), await registry.publish(await train(2))];
  await Promise.all(
    Array.from({ length: 20 }, (_, move) => registry.point('production', versions[move % 2]!)),
  );
  t.ok(versions.includes((await registry.readChannel('production')).version));
  t.strictSame((await readdir(join(root, 'channels'))).sort(), ['production.json', 'staging.json']);
});
