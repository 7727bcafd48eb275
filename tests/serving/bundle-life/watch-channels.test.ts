import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import { writeBundleFiles } from '../../../src/bundle/write-bundle-files.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import { createMetrics } from '../../../src/observability/metrics/metrics.js';
import { type ChannelWatchOptions, watchChannels } from '../../../src/serving/bundle-life/watch-channels.js';
import { createSmallBundle } from '../../bundle/small-bundle.js';

/** A registry with two versions, and a server of `staging` that serves what it points at when it is told to, or refuses. */
async function openWorkshop(t: Test, changes: Partial<ChannelWatchOptions> = {}) {
  const root = join(t.testdir(), 'models');
  const registry = createFolderRegistry(root);
  const versions: string[] = [];
  for (const day of [2, 1]) {
    const trained = join(root, `../trained-${day}`);
    await writeBundleFiles(trained, createSmallBundle({ createdAt: `2026-01-0${day}T00:00:00Z` }));
    versions.push(await registry.publish(trained));
  }
  const [second, first] = versions as [string, string];
  const served = { versions: [first] as (string | undefined)[], reloads: 0, failure: undefined as unknown };
  const clock = { ms: 0 };
  const lines = new PassThrough();
  const metrics = createMetrics({ processMetrics: false });
  const watch = watchChannels({
    registry,
    server: {
      versions: () => new Map([['staging', served.versions]]),
      reload: async () => {
        served.reloads++;
        if (served.failure !== undefined) throw served.failure;
        served.versions = [(await registry.readChannel('staging')).version];
      },
    },
    logger: pino(lines),
    metrics: metrics.bundle,
    intervalMs: 3_600_000,
    random: () => 0.5,
    now: () => clock.ms,
    ...changes,
  });
  t.teardown(() => watch.stop());
  return {
    root,
    registry,
    first,
    second,
    served,
    clock,
    watch,
    /** Messages since the last call. */
    told: () =>
      String(lines.read() ?? '')
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { msg: string }).msg),
    metric: async (line: string) =>
      (await metrics.render())
        .split('\n')
        .find((one) => one.startsWith(`shortlist_${line} `))
        ?.at(-1),
  };
}

t.test(
  'what is in service is left alone, and a channel that moved is followed, there and back',
  async (t) => {
    const { registry, first, second, served, watch, told, metric } = await openWorkshop(t);
    await watch.look();
    t.equal(served.reloads, 0);
    t.equal(await metric('channel_behind{channel="staging"}'), '0');
    await registry.point('staging', second);
    await watch.look();
    await watch.look();
    t.same(served, { versions: [second], reloads: 1, failure: undefined });
    await registry.rollback('staging');
    await watch.look();
    t.same(served.versions, [first]);
    t.same(told(), ['channel moved: bundle swapped', 'channel moved: bundle swapped']);
    t.equal(await metric('bundle_reloads_total{outcome="swapped"}'), '2');
    t.equal(await metric('registry_up{store="bundles"}'), '1');
    t.equal(await metric('channel_behind{channel="staging"}'), '0');
  },
);

t.test('a process that has another bundle than the rest is enough', async (t) => {
  const { first, second, served, watch } = await openWorkshop(t);
  served.versions = [first, second];
  await watch.look();
  t.same(served.versions, [first]);
  served.versions = [undefined];
  await watch.look();
  t.same(served.versions, [first], 'so is one that has none');
  served.versions = [];
  await watch.look();
  t.equal(served.reloads, 2, 'where nothing is to be served nothing is opened');
});

t.test('a bundle that was refused is not tried again before the channel moves', async (t) => {
  const { registry, second, served, clock, watch, told, metric } = await openWorkshop(t);
  served.failure = new ShortlistError('INVALID_BUNDLE', 'ranker.onnx is missing');
  await registry.point('staging', second);
  for (let looks = 0; looks < 5; looks++) {
    await watch.look();
    clock.ms += 24 * 3600 * 1000;
  }
  t.equal(served.reloads, 1);
  t.same(told(), ['channel moved: bundle refused; what is in service stays']);
  t.equal(await metric('bundle_reloads_total{outcome="refused"}'), '1');
  t.equal(await metric('channel_behind{channel="staging"}'), '1');
  await registry.rollback('staging');
  await registry.point('staging', second);
  await watch.look();
  t.equal(served.reloads, 2, 'it moved between two looks');
  await registry.rollback('staging');
  await watch.look();
  t.equal(served.reloads, 2, 'what is in service needs no reload');
  t.equal(await metric('channel_behind{channel="staging"}'), '0');
  served.failure = undefined;
  await registry.point('staging', second);
  await watch.look();
  t.same(served.versions, [second], 'it has moved there again');
});

t.test('a refusal that may pass is tried again, later each time', async (t) => {
  const { registry, second, served, clock, watch } = await openWorkshop(t);
  served.failure = new ShortlistError('REGISTRY_FAILED', 'The bucket could not give');
  await registry.point('staging', second);
  const triedAt: number[] = [];
  for (let look = 0; look < 4500; look++) {
    const before = served.reloads;
    await watch.look();
    if (served.reloads > before) triedAt.push(clock.ms / 1000);
    clock.ms += 1000;
  }
  t.same(triedAt, [0, 30, 90, 210, 450, 930, 1830, 2730, 3630]);
  served.failure = undefined;
  clock.ms += 3_600_000;
  await watch.look();
  t.same(served.versions, [second]);
});

t.test('a trial is followed too: refused it waits, without a channel it is waited for', async (t) => {
  let tried: string | undefined;
  let reloads = 0;
  const { registry, first, second, clock, watch, told, metric } = await openWorkshop(t, {
    server: {
      versions: () =>
        new Map([
          ['staging', [first]],
          ['candidate', [tried]],
        ]),
      // What is tried is refused: the service says nothing of it.
      reload: async () => void reloads++,
    },
  });
  await watch.look();
  t.equal(reloads, 0, 'nothing is there to be tried');
  t.equal(await metric('registry_up{store="bundles"}'), '1');
  await registry.point('candidate', second);
  await watch.look();
  await watch.look();
  t.equal(reloads, 1, 'it was refused');
  t.equal(await metric('channel_behind{channel="candidate"}'), '1');
  t.same(told(), [], 'whoever tries it tells of it');
  clock.ms += 30_000;
  await watch.look();
  t.equal(reloads, 2);
  tried = second;
  await watch.look();
  t.equal(await metric('channel_behind{channel="candidate"}'), '0');
});

t.test('a registry that cannot be read is told of once, and once when it can be again', async (t) => {
  const { root, registry, second, served, watch, told, metric } = await openWorkshop(t);
  await registry.point('staging', second);
  const text = JSON.stringify(await registry.readChannel('staging'));
  await writeFile(join(root, 'channels/staging.json'), '{');
  await watch.look();
  await watch.look();
  t.equal(served.reloads, 0);
  t.same(told(), ['the bundle registry cannot be read; what is in service stays']);
  t.equal(await metric('registry_up{store="bundles"}'), '0');
  await writeFile(join(root, 'channels/staging.json'), text);
  await watch.look();
  t.same(told(), ['the bundle registry can be read again', 'channel moved: bundle swapped']);
  t.equal(await metric('registry_up{store="bundles"}'), '1');
});

t.test('a registry that says nothing counts as away, and is looked at again', async (t) => {
  const hanging = { is: true };
  const { registry, first, second, served, watch, told } = await openWorkshop(t, {
    patienceMs: 20,
    registry: {
      readChannel: () =>
        hanging.is
          ? new Promise(() => undefined)
          : Promise.resolve({ version: second, previous: [], updatedAt: '' }),
    },
  });
  await registry.point('staging', second);
  const alive = setInterval(() => undefined, 1000);
  await watch.look();
  clearInterval(alive);
  t.same(served.versions, [first]);
  t.same(told(), ['the bundle registry cannot be read; what is in service stays']);
  hanging.is = false;
  await watch.look();
  t.same(served.versions, [second]);
});

t.test('it looks by itself, again and again, until it is stopped', async (t) => {
  const asked = new EventTarget();
  const pointer = { previous: [], updatedAt: '' };
  let version = '1';
  const registry = {
    readChannel: async () => {
      asked.dispatchEvent(new Event('look'));
      return { ...pointer, version };
    },
  };
  let reloads = 0;
  const server = {
    versions: () => new Map([['staging', ['1']]]),
    reload: async () => {
      reloads++;
      watch.stop();
      throw new DOMException('The service was closed', 'AbortError');
    },
  };
  const alive = setInterval(() => undefined, 1000); // a watch does not hold the process
  t.teardown(() => clearInterval(alive));
  const { watch, told } = await openWorkshop(t, { registry, server, intervalMs: 1 });
  await once(asked, 'look');
  await once(asked, 'look');
  version = '2';
  await once(asked, 'look');
  await watch.look();
  t.equal(reloads, 1, 'a reload that ends because the process does is none that was refused');
  t.same(told(), []);
  await watch.look();
  t.equal(reloads, 1, 'nothing is reloaded after the stop');
});
