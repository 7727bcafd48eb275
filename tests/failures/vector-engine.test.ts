import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { Degradation } from '../../src/domain/slate.js';
import { createCommandRunner } from '../support/command-runner.js';
import { startFaultServer } from '../support/fault-server.js';
import { startFaultProxy } from '../support/tcp-fault-proxy.js';
import { SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';
import { engineOptions, startVectorEngine } from '../support/vector-engine.js';

const dir = t.testdir({ first: {}, second: {} });
const registry = join(dir, 'models');
const engine = await startVectorEngine(t);
const proxy = await startFaultProxy(t, engine.port);
const published = createFolderRegistry(registry);
const { folder } = await writeSmallBundle(join(dir, 'first'));
const version = await published.publish(folder);

/** Few candidates of few items: more would be found by scoring them all. */
const home = { ...SCENARIOS.get('home')!, maxCandidates: 2 };
const alone = { ...home, name: 'alone', sources: { als: 2 } };
const scenarios = new Map([...SCENARIOS, ['home', home], ['alone', alone]]);

const load = (...argv: string[]) =>
  createCommandRunner({
    env: {
      SHORTLIST_REGISTRY: registry,
      SHORTLIST_CHANNEL: 'staging',
      VECTOR_ENGINE_URL: engineOptions(engine.port).url,
    },
  })('load-vectors', ...argv);

interface Answer {
  readonly status: number;
  readonly bundle: string;
  readonly degraded: readonly Degradation[];
  readonly items: readonly { sources: { name: string }[] }[];
}

async function ask(url: string, query = ''): Promise<Answer> {
  const answer = await fetch(`${url}/recommendations/u3?limit=1&explain=sources${query}`);
  return { status: answer.status, ...((await answer.json()) as Omit<Answer, 'status'>) };
}

const DEGRADED = [{ stage: 'candidates.als', reason: 'vector_engine_failed' }];

t.test('load-vectors loads what the channel points at, and says so when it is there', async (t) => {
  t.match(await load(), {
    code: 0,
    out: new RegExp(`^The vector engine has the vectors of ${version}: \\d+ written\\.$`),
  });
  t.match(await load(version), {
    code: 0,
    out: `The vector engine has the vectors of ${version} already.`,
  });
  t.match(await load('20200101T000000Z-00000000'), { code: 1, errors: /BUNDLE_NOT_FOUND/ });
});

t.test('load-vectors refuses a bundle without als, and a channel that cannot be read', async (t) => {
  const { manifest, ...files } = await openBundleFiles(folder);
  const { als: _, ...sources } = manifest.sources;
  const { version: __, ...draft } = { ...manifest, sources, createdAt: '2025-01-01T00:00:00Z' };
  const other = join(dir, 'without');
  await writeBundleFiles(other, { manifest: draft, files: contentsOf({ manifest, ...files }) });
  const without = await published.publish(other);
  await published.point('staging', version);
  t.match(await load(without), { code: 1, errors: /INVALID_BUNDLE: The bundle at .* has no source als/ });
  await writeFile(join(registry, 'channels/production.json'), 'rubbish');
  t.match(await load('--drop-others'), { code: 1, errors: /INVALID_BUNDLE/ });
  await rm(join(registry, 'channels/production.json'));
});

t.test('a server goes on without its vector engine, and says so', async (t) => {
  const breaker = { calls: 4, failureShare: 0.5, probeAfterMs: 10 };
  const vectorEngine = engineOptions(proxy.port, { queryTimeoutMs: 300, connectTimeoutMs: 300, breaker });
  const server = await startFaultServer(t, registry, { vectorEngine, scenarios });

  await t.test('while it answers, its items are in the slate', async (t) => {
    const { status, degraded, items } = await ask(server.url, '&scenario=alone');
    t.equal(status, 200);
    t.same(degraded, []);
    t.ok(items.length > 0 && items.every(({ sources }) => sources[0]!.name === 'als'));
    t.same((await ask(server.url)).degraded, []);
  });

  for (const [what, faults] of [
    ['hangs', { blackHole: true }],
    ['is reset', { reset: true }],
    ['answers rubbish', { reply: Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n') }],
  ] as const) {
    await t.test(`when it ${what}, the other sources serve`, async (t) => {
      proxy.inject(faults);
      for (let time = 0; time < 6; time++) {
        const { status, degraded, items } = await ask(server.url);
        t.equal(status, 200);
        t.same(degraded, DEGRADED);
        t.equal(items.length, 1);
      }
      proxy.inject({});
      let { degraded } = await ask(server.url);
      for (let time = 0; time < 300 && degraded.length > 0; time++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        ({ degraded } = await ask(server.url));
      }
      t.same(degraded, [], 'it is asked again when it is back');
    });
  }

  await t.test('when it was the only source, what most people chose is the answer', async (t) => {
    proxy.inject({ reset: true });
    const { status, degraded, items } = await ask(server.url, '&scenario=alone');
    t.equal(status, 200);
    t.same(degraded, [{ stage: 'pipeline', reason: 'source_failed' }]);
    t.equal(items.length, 1);
    proxy.inject({});
  });

  await t.test('a bundle whose vectors are not loaded is not swapped in; loaded, it is', async (t) => {
    const second = await writeSmallBundle(join(dir, 'second'), { createdAt: '2026-02-03T04:05:06Z' });
    const newer = await published.publish(second.folder);
    const refused = await server.reload();
    t.ok(refused.status >= 400);
    t.equal((await ask(server.url)).bundle, version);

    t.match(await load(), { code: 0 });
    t.equal((await server.reload()).status, 200);
    const { bundle, degraded } = await ask(server.url);
    t.equal(bundle, newer);
    t.same(degraded, []);
  });

  await t.test('the tables of versions that no channel points at are dropped when asked for', async (t) => {
    t.match(await load('--drop-others'), {
      code: 0,
      out: new RegExp(`Dropped shortlist_items_${version.toLowerCase().replace('-', '_')}\\.`),
    });
    t.match(await load('--drop-others'), { code: 0, out: /There are no other tables\./ });
    t.same((await ask(server.url)).degraded, []);
  });
});

t.test('a server starts while its vector engine is away', async (t) => {
  proxy.inject({ reset: true });
  const server = await startFaultServer(t, registry, {
    vectorEngine: engineOptions(proxy.port, { connectTimeoutMs: 300 }),
    scenarios,
  });
  t.same((await ask(server.url)).degraded, DEGRADED);
  proxy.inject({});
});
