import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { formatChecksum } from '../../src/bundle/bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { CHECKSUM_FILE, type Manifest, MANIFEST_FILE } from '../../src/bundle/manifest.js';
import { openSocket } from '../http/raw-socket.js';
import { startCachedServer } from '../support/cached-server.js';
import { publishBundle, startFaultServer } from '../support/fault-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir({ one: {}, two: {} });
const first = await writeSmallBundle(join(dir, 'one'));
const registry = await publishBundle(dir, first.folder);
const USERS = ['u1', 'u2', 'u3', 'u4'];

t.test('of a thousand idle connections the others notice nothing, and none is cut', async (t) => {
  const server = await startFaultServer(t, registry);
  const before = await Promise.all(USERS.map((user) => server.ask(user)));
  const memory = process.memoryUsage.rss();
  let cut = 0;
  const idle = await Promise.all(
    Array.from({ length: 1000 }, async () => {
      const socket = await openSocket(server.url);
      socket.on('close', () => cut++);
      socket.write('GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await once(socket, 'data');
      return socket;
    }),
  );
  for (let round = 0; round < 5; round++)
    t.same(await Promise.all(USERS.map((user) => server.ask(user))), before);
  t.equal(cut, 0);
  t.ok(process.memoryUsage.rss() - memory < 200e6, 'both ends of each are in this process');
  for (const socket of idle) socket.destroy();
});

t.test(
  'a reload that memory would not hold is refused by its estimate, and the bundle before serves on',
  async (t) => {
    const server = await startFaultServer(t, registry, { memoryLimitBytes: 1e6 });
    const before = await server.ask('u1');
    const second = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z' });
    const published = createFolderRegistry(registry);
    await published.publish(second.folder);
    await pretendRows(join(registry, second.manifest.version), 1e9);
    const { status, body } = await server.reload();
    t.match({ status, body }, { status: 500, body: { code: 'INVALID_BUNDLE', detail: /memory limit/ } });
    t.same(await server.ask('u1'), before);
    await published.point('staging', first.manifest.version);
  },
);

/** Lets a manifest say that there are so many users: what would not fit must not be loaded to see it. */
async function pretendRows(folder: string, rows: number): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  const manifest = JSON.parse(await readFile(path, 'utf8')) as Manifest;
  const { file } = manifest.views.users;
  const files = { ...manifest.files, [file]: { ...manifest.files[file], rows } };
  const text = JSON.stringify({ ...manifest, files });
  await writeFile(path, text);
  await writeFile(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(text)));
}

t.test('a clock that jumps by an hour, back and forth, changes no answer and no life of one', async (t) => {
  const jump = { ms: 0 };
  const real = Date.now.bind(Date);
  t.intercept(Date, 'now', { value: () => real() + jump.ms, configurable: true });
  const service = { clock: () => Date.now() / 1000 };
  const server = await startCachedServer(t, registry, { cache: { ttlSeconds: 3600 }, workers: 0, service });
  const { body } = await server.get('/recommendations/u1');
  for (const hours of [1, -1, 24, 0]) {
    jump.ms = hours * 3_600_000;
    const again = await server.get('/recommendations/u1');
    t.equal(again.cache, 'hit', 'it lives as long as it was meant to');
    const other = await server.get(`/recommendations/u2?limit=${20 + hours}`.replace('-', ''));
    t.match([again.status, other.status, other.body.degraded], [200, 200, []]);
    t.same(again.body.items, body.items);
  }
});
