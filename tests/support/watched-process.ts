import type { Test } from 'tap';
import { askServer, type FaultAnswer } from './fault-server.js';
import { findFreePort } from './free-port.js';
import { type ServingProcess, startServingProcess } from './serving-process.js';

type ServingOptions = NonNullable<Parameters<typeof startServingProcess>[2]>;

export interface WatchedProcess extends Omit<ServingProcess, 'url'> {
  readonly url: string;
  readonly adminUrl: string;
  ask(userId: string, headers?: Record<string, string>): Promise<FaultAnswer>;
  reload(): Promise<unknown>;
  metrics(): Promise<string>;
}

/** Starts `shortlist serve` with an admin listener to be scraped and one computing thread; it serves when it is given. */
export async function startWatchedProcess(
  t: Test,
  registry: string,
  { changes, args = [], env }: ServingOptions = {},
): Promise<WatchedProcess> {
  const adminUrl = `http://127.0.0.1:${await findFreePort()}`;
  const server = await startServingProcess(t, registry, {
    args: ['--workers', '1', ...args],
    changes: { ...changes, shutdown: { drainDelayMs: 0 }, logging: { requestSampleRate: 0 } },
    env: { ...env, ADMIN_PORT: new URL(adminUrl).port },
  });
  // What it writes to is removed after it.
  t.teardown(async () => {
    server.child.kill('SIGKILL');
    await server.ended;
  });
  const url = await server.url;
  return {
    ...server,
    url,
    adminUrl,
    ask: (user: string, headers?: Record<string, string>) => askServer(url, user, headers),
    reload: async () => (await fetch(`${adminUrl}/bundle/reload`, { method: 'POST' })).arrayBuffer(),
    metrics: async () => (await fetch(`${adminUrl}/metrics`)).text(),
  };
}
