import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { findFreePort } from '../support/free-port.js';
import { createSyntheticDataset } from '../support/synthetic-dataset.js';
import { PROVENANCE, smallTrainingConfig, trainSmallBundle } from '../support/trained-bundle.js';

/** A title that would run a script where it were taken for HTML. */
export const HOSTILE_TITLE = '<img src=x onerror="window.wasHostile = true">';

/** A registry of bundles in a folder of its own, with a bundle whose most popular items have a hostile title and none. */
export async function makeRegistry(): Promise<{ registry: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-explorer-'));
  const dataset = createSyntheticDataset({ users: 200, items: 300 });
  const title = dataset.catalogue.attributes.find(({ name }) => name === 'title')!;
  const titles = title.values as (string | null)[];
  titles.splice(
    0,
    4,
    HOSTILE_TITLE,
    HOSTILE_TITLE,
    'שלום עולם',
    'A title that is as long as titles of films may be '.repeat(3),
  );
  const bundle = join(folder, 'bundle');
  await writeTrainedBundle(bundle, await trainSmallBundle(dataset), {
    dataset,
    config: smallTrainingConfig(),
    provenance: PROVENANCE,
  });
  const registry = join(folder, 'models');
  await createFolderRegistry(registry).publish(bundle, { channel: 'candidate' });
  return { registry, remove: () => rm(folder, { recursive: true }) };
}

/** `shortlist serve` as a process of its own, which may be stopped and started at the same addresses. */
export interface ExplorerServer {
  readonly url: string;
  readonly adminUrl: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server of a registry, without events and with one computing thread. */
export async function startExplorerServer(
  registry: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ExplorerServer> {
  const [port, adminPort] = [await findFreePort(), await findFreePort()];
  let child: ChildProcess | undefined;
  const server: ExplorerServer = {
    url: `http://127.0.0.1:${port}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    start: async () => {
      const program = join(import.meta.dirname, '../support/serve-program.js');
      child = spawn(process.execPath, [program, 'configs', 'serve', '--workers', '1'], {
        env: {
          ...process.env,
          SHORTLIST_ENV: 'development',
          PORT: String(port),
          ADMIN_PORT: String(adminPort),
          SHORTLIST_REGISTRY: registry,
          SHORTLIST_EVENTS: 'false',
          ...env,
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let told = '';
      for await (const text of child.stderr!.setEncoding('utf8')) {
        told += text as string;
        if (told.includes(`${server.adminUrl}/explorer`)) break;
      }
      if (!told.includes('/explorer'))
        throw new Error(`The server has not told where the explorer is:\n${told}`);
    },
    stop: async () => {
      if (child === undefined || child.exitCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
  await server.start();
  return server;
}
