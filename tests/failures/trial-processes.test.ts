import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { ServiceDescription } from '../../src/serving/bundle-admin.js';
import { askServer, publishBundle } from '../support/fault-server.js';
import { makeLastingFolder } from '../support/lasting-folder.js';
import { startServingProcess } from '../support/serving-process.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

// Every process compiles what it runs: with other work beside it that takes a while.
t.setTimeout(600_000);

t.test('each process of a group tries the canary, and the supervisor tells of it', async (t) => {
  const dir = makeLastingFolder(t, { one: {}, two: {} });
  const stable = await writeSmallBundle(join(dir, 'one'));
  const tried = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z' });
  const models = await publishBundle(dir, stable.folder);
  const registry = createFolderRegistry(models);
  await registry.publish(tried.folder);
  await registry.point('candidate', tried.manifest.version);
  await registry.point('staging', stable.manifest.version);
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  const server = await startServingProcess(t, models, {
    args: ['--processes', '2', '--workers', '1'],
    changes: {
      compute: { deadlineMs: 60_000 },
      bundle: { trialSilenceMs: 0 },
      shutdown: { drainDelayMs: 0 },
      canary: { channel: 'candidate', share: 1 },
    },
    env: { ADMIN_PORT: String(port) },
  });
  const url = await server.url;
  const describe = async () =>
    (await (await fetch(`http://127.0.0.1:${port}/bundle`)).json()) as ServiceDescription;
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const isUp = (text: string, process: number): boolean =>
    text.includes(`shortlist_trial_up{release="canary",process="${process}"} 1`);
  for (let text = ''; !isUp(text, 1) || !isUp(text, 2); text = await metrics()) await wait(50);
  t.match(await describe(), {
    version: stable.manifest.version,
    trials: [{ release: 'canary', state: 'open', bundle: { version: tried.manifest.version } }],
  });
  for (let request = 0; request < 4; request++)
    t.match(await askServer(url, `u${request}`), { status: 200, bundle: tried.manifest.version });
  server.child.kill('SIGTERM');
  t.same(await server.ended, { code: 0, signal: null });
});
