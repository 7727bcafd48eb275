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

/** A registry in a folder of its own. */
export interface MadeRegistry {
  readonly registry: string;
  /** Publishes a bundle of another version to the channel that is served. */
  publishAnother(): Promise<void>;
  remove(): Promise<void>;
}

/** Makes a registry with a bundle some of whose items have titles that a page may stumble over. */
export async function makeRegistry(): Promise<MadeRegistry> {
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
  const trained = await trainSmallBundle(dataset);
  const registry = join(folder, 'models');
  const publish = async (createdAt: string): Promise<void> => {
    const bundle = join(folder, createdAt);
    const provenance = { ...PROVENANCE, createdAt };
    await writeTrainedBundle(bundle, trained, { dataset, config: smallTrainingConfig(), provenance });
    await createFolderRegistry(registry).publish(bundle, { channel: 'candidate' });
  };
  await publish(PROVENANCE.createdAt);
  return {
    registry,
    publishAnother: () => publish('2026-02-03T04:05:06Z'),
    remove: () => rm(folder, { recursive: true }),
  };
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
