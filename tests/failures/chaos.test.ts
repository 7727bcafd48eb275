import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { openSocket } from '../http/raw-socket.js';
import { type FaultAnswer, publishBundle, startFaultServer } from '../support/fault-server.js';
import { USERS, writeFaultyBundle } from '../support/faulty-bundle.js';
import { LONG } from '../support/long-tests.js';

/** CHAOS_SECONDS=600 for ten minutes. */
const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 10);
/** What a busy machine takes for the rest of it is added. */
const TIMEOUT_MS = (SECONDS + 230) * 1000;
const SEED = Number(process.env['CHAOS_SEED'] ?? 40);

t.setTimeout(TIMEOUT_MS);
const dir = t.testdir({ one: {}, two: {} });
const first = await writeFaultyBundle(join(dir, 'one'));
const second = await writeFaultyBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z', products: 20 });
const registry = await publishBundle(dir, first.folder);
const published = createFolderRegistry(registry);
await published.publish(second.folder);
const versions = [first.manifest.version, second.manifest.version];

/** Who asks, and how often: of these a few break the ranker, or have it take a second. */
const CROWD = [
  ...USERS.healthy,
  ...USERS.healthy,
  ...USERS.healthy,
  USERS.invalid,
  USERS.failing,
  USERS.slow,
  'stranger',
];

/** The answers of servers to which nothing happens, by bundle and user. */
async function foresee(): Promise<Map<string, readonly string[]>> {
  const foreseen = new Map<string, readonly string[]>();
  for (const version of versions) {
    await published.point('staging', version);
    const server = await startFaultServer(t, registry);
    for (const user of new Set(CROWD)) {
      const { degraded, items } = await server.ask(user);
      if (degraded.length === 0) foreseen.set(`${version} ${user}`, items);
    }
    await server.stop();
  }
  return foreseen;
}

t.test(
  `whatever happens at once for ${SECONDS} s (seed ${SEED}), every request has an answer`,
  { ...LONG, timeout: TIMEOUT_MS },
  async (t) => {
    const foreseen = await foresee();
    const random = createSeededRandom(SEED);
    const server = await startFaultServer(t, registry, {
      threads: {
        workers: 2,
        maxBatch: 16,
        maxWaiting: 100,
        minDepth: 1,
        rankerGuard: { budgetMs: 400, probeAfterMs: 200 },
      },
      deadlineMs: 800,
    });
    const until = performance.now() + SECONDS * 1000;
    const load = { done: false };
    const answers: (FaultAnswer & { user: string })[] = [];
    const clients = Array.from({ length: 6 }, async () => {
      while (!load.done) {
        const user = CROWD[random.integer(CROWD.length)]!;
        answers.push({ user, ...(await server.ask(user)) });
      }
    });

    const misfortunes = [
      async () => {
        await published.point('staging', versions[random.integer(2)]!);
        await server.reload();
      },
      async () => {
        const { version } = await published.readChannel('staging');
        const folder = join(registry, version);
        await cp(folder, join(dir, 'kept'), { recursive: true });
        await writeFile(join(folder, 'ranker.onnx'), 'garbage');
        t.not((await server.reload()).status, 200, 'a damaged bundle is refused');
        await rm(folder, { recursive: true });
        await cp(join(dir, 'kept'), folder, { recursive: true });
        await rm(join(dir, 'kept'), { recursive: true });
      },
      async () => {
        const sockets = await Promise.all(Array.from({ length: 20 }, () => openSocket(server.url)));
        for (const socket of sockets) {
          socket.on('error', () => undefined);
          socket.write('GET /recommendations/u1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
          socket.resetAndDestroy();
        }
      },
    ];
    let happened = 0;
    while (performance.now() < until || happened < misfortunes.length)
      await misfortunes[happened++ % misfortunes.length]!();
    load.done = true;
    await Promise.all(clients);

    t.ok(answers.length > 0 && happened > 0, `${answers.length} answers, ${happened} misfortunes`);
    t.same(
      answers.filter(({ status, code }) => status !== 200 && code !== 'OVERLOADED'),
      [],
      'nothing but lists, and refusals for lack of time',
    );
    const wrong = answers.filter(({ status, degraded, bundle, user, items }) => {
      if (status !== 200) return false;
      if (degraded.length > 0) return items.length !== 5;
      return JSON.stringify(foreseen.get(`${bundle} ${user}`)) !== JSON.stringify(items);
    });
    t.same(wrong, [], 'whole answers are those of an undisturbed server');
    t.comment(`${answers.filter(({ degraded }) => degraded.length > 0).length} were degraded`);
  },
);
