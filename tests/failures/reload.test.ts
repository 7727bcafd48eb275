import { cp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { formatChecksum, openBundleFiles } from '../../src/bundle/bundle-files.js';
import { CHECKSUM_FILE, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import {
  type FaultAnswer,
  type FaultServer,
  publishBundle,
  startFaultServer,
} from '../support/fault-server.js';
import { LONG } from '../support/long-tests.js';
import { writeFaultyBundle } from '../support/faulty-bundle.js';

const dir = t.testdir({ one: {}, two: {} });
const first = await writeFaultyBundle(join(dir, 'one'));
const second = await writeFaultyBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z', products: 1 });
const registry = await publishBundle(dir, first.folder);
const published = createFolderRegistry(registry);
await published.publish(second.folder);
const served = join(registry, second.manifest.version);
const whole = join(dir, 'whole');
await cp(served, whole, { recursive: true });

/** Asks on and on until `work` is done; gives what came. */
async function askDuring(server: FaultServer, work: () => Promise<void>): Promise<FaultAnswer[]> {
  const answers: FaultAnswer[] = [];
  const load = { done: false };
  const clients = ['u1', 'u2', 'u3', 'u4'].map(async (user) => {
    while (!load.done) answers.push(await server.ask(user));
  });
  try {
    await work();
  } finally {
    load.done = true;
    await Promise.all(clients);
  }
  return answers;
}

const VIEW = 'features/users.parquet';
const random = createSeededRandom(7);
const sizeOf = async (file: string): Promise<number> => (await readFile(join(whole, file))).length;

/** What befalls the files of the bundle that is to be swapped in. */
const faults: [what: string, inflict: () => Promise<void>][] = [
  ['a feature file is missing', () => rm(join(served, VIEW))],
  ['a feature file is empty', () => writeFile(join(served, VIEW), '')],
  ['a feature file is text', () => writeFile(join(served, VIEW), 'not found\n')],
  ...[0.1, 0.5, 0.9, 0.999].map(
    (share) =>
      [
        `a feature file ends after ${share} of its bytes`,
        async () => truncate(join(served, VIEW), Math.floor(share * (await sizeOf(VIEW)))),
      ] as [string, () => Promise<void>],
  ),
  ['one bit of a feature file is another', () => flip(VIEW)],
  ['one bit of the model is another', () => flip('ranker.onnx')],
  ['one bit of the histories is another', () => flip('histories.safetensors')],
  ['the manifest is cut off', async () => truncate(join(served, MANIFEST_FILE), 100)],
  ['the folder is gone', () => rm(served, { recursive: true })],
];

async function flip(file: string): Promise<void> {
  const bytes = await readFile(join(served, file));
  bytes[random.integer(bytes.length)]! ^= 1 << random.integer(8);
  await writeFile(join(served, file), bytes);
}

async function restore(): Promise<void> {
  await rm(served, { recursive: true, force: true });
  await cp(whole, served, { recursive: true });
}

t.test('a bundle that is damaged is not swapped in, at load, and the one before serves on', async (t) => {
  await published.point('staging', first.manifest.version);
  const server = await startFaultServer(t, registry);
  await published.point('staging', second.manifest.version);
  const answers = await askDuring(server, async () => {
    for (const [what, inflict] of faults) {
      await inflict();
      const { status, body } = await server.reload();
      t.equal(status, 500, what);
      t.match(body.code, /^(INVALID_BUNDLE|BUNDLE_NOT_FOUND)$/);
      await restore();
    }
  });
  t.equal(await server.metric(/reloads_total\{outcome="refused"\} (\d+)/), faults.length);
  t.ok(answers.length > 0);
  t.same([...new Set(answers.map(({ status }) => status))], [200]);
  t.same([...new Set(answers.map(({ bundle }) => bundle))], [first.manifest.version]);
  t.match(await server.reload(), { status: 200, body: { version: second.manifest.version } });
});

t.test('a model that is none, or fits no feature, is refused though its checksum is right', async (t) => {
  await restore();
  const files = await openBundleFiles(whole);
  const model = files.bytesOf('ranker.onnx');
  const models: [what: string, bytes: Uint8Array][] = [
    ['garbage', new TextEncoder().encode('garbage')],
    ['empty', new Uint8Array(0)],
    ['cut off', model.subarray(0, model.length / 2)],
  ];
  await published.point('staging', first.manifest.version);
  const server = await startFaultServer(t, registry);
  await published.point('staging', second.manifest.version);
  const { files: _hashes, ...draft } = files.manifest;
  for (const [what, bytes] of models) {
    const contents = new Map([...contentsOf(files), ['ranker.onnx', { bytes }]]);
    await writeBundleFiles(join(dir, 'broken'), { manifest: draft, files: contents }, { replace: true });
    await replaceServed(join(dir, 'broken'));
    const { status, body } = await server.reload();
    t.equal(status, 500, what);
    t.match(body, { code: 'INVALID_BUNDLE', detail: /ranker\.onnx/ });
    t.equal((await server.ask('u1')).bundle, first.manifest.version);
  }
  await restore();
  t.equal((await server.reload()).status, 200);
});

/** Puts a bundle in the place of the one that staging points at, under its version. */
async function replaceServed(folder: string): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  const manifest = JSON.parse(await readFile(path, 'utf8')) as object;
  const text = JSON.stringify({ ...manifest, version: second.manifest.version });
  await writeFile(path, text);
  await writeFile(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
  await rm(served, { recursive: true });
  await rename(folder, served);
}

t.test('a model that hangs in its trial runs is refused, and nobody waits for it', async (t) => {
  await restore();
  const hanging = await writeFaultyBundle(t.testdir({}), { createdAt: '2026-03-03T03:04:05Z', hangs: true });
  await published.point('staging', first.manifest.version);
  const server = await startFaultServer(t, registry, { rehearsalSilenceMs: 6000 });
  await published.publish(hanging.folder);
  const answers = await askDuring(server, async () => {
    const { status, body } = await server.reload();
    // Without a processor of its own for a while, it cannot be told from one that starves: then that is said.
    t.match(
      { status, body },
      { status: /^50[03]$/, body: { code: /^(INVALID_BUNDLE|TRIAL_FAILED)$/, detail: /hangs|said nothing/ } },
    );
  });
  t.same(
    [...new Set(answers.map(({ status, bundle }) => `${status} ${bundle}`))],
    [`200 ${first.manifest.version}`],
  );
  t.ok(answers.length > 100, 'the event loop went on');
  t.equal(await server.ready(), 200);
  await published.point('staging', second.manifest.version);
});

t.test('a bundle whose views would not fit in memory is refused before they are loaded', async (t) => {
  await t.rejects(startFaultServer(t, registry, { memoryLimitBytes: 1 }), {
    code: 'INVALID_BUNDLE',
    message: /memory/i,
  });
});

t.test(
  'while bundles are swapped at load, every answer is that of one of them, as it is alone',
  LONG,
  async (t) => {
    const users = ['u1', 'u2', 'u3', 'u4'];
    const expected = new Map<string, FaultAnswer>();
    for (const { version } of [first.manifest, second.manifest]) {
      await published.point('staging', version);
      const alone = await startFaultServer(t, registry);
      for (const user of users) expected.set(`${version} ${user}`, await alone.ask(user));
      await alone.stop();
    }
    const server = await startFaultServer(t, registry);
    const load = { done: false };
    const mismatches: FaultAnswer[] = [];
    const bundles = new Set<string | undefined>();
    const clients = users.map(async (user) => {
      while (!load.done) {
        const answer = await server.ask(user);
        bundles.add(answer.bundle);
        const right = expected.get(`${answer.bundle} ${user}`);
        if (JSON.stringify(right) !== JSON.stringify(answer)) mismatches.push(answer);
      }
    });
    for (let swap = 0; swap < 4; swap++) {
      const { version } = [first, second][swap % 2]!.manifest;
      await published.point('staging', version);
      t.match(await server.reload(), { status: 200, body: { version } });
    }
    load.done = true;
    await Promise.all(clients);
    t.same(mismatches, []);
    t.equal(bundles.size, 2);
  },
);
