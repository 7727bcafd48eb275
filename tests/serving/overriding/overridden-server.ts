import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Test } from 'tap';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import type { OverridesDocument } from '../../../src/config/override-config.js';
import { openLocalOverrides } from '../../../src/overrides/local-overrides.js';
import type { OverrideStore } from '../../../src/overrides/override-store.js';
import type { OverridesInForce } from '../../../src/rules/overrides.js';
import { type CachedServer, startCachedServer } from '../../support/cached-server.js';
import { SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

/** An answer of `/overrides`, or a problem. */
export interface OverridesReply {
  readonly status: number;
  readonly etag: string | null;
  readonly body: {
    readonly version: string;
    readonly document: OverridesDocument;
    readonly warnings: readonly string[];
    readonly ineffective: readonly string[];
    readonly problems: readonly string[];
    readonly code: string;
    readonly detail: string;
  };
}

/** A server whose overrides a test changes. */
export interface OverriddenServer extends CachedServer {
  readonly file: string;
  readonly store: OverrideStore;
  put(document: unknown, ifMatch?: string): Promise<OverridesReply>;
  read(): Promise<OverridesReply>;
  /** The ids of an answer, in order. */
  ids(path: string): Promise<string[]>;
}

/** Publishes a small bundle. @returns its registry */
export async function publishSmall(folder: string): Promise<string> {
  const bundle = await writeSmallBundle(folder);
  const registry = join(folder, 'models');
  await createFolderRegistry(registry).publish(bundle.folder);
  return registry;
}

type Changes = NonNullable<Parameters<typeof startCachedServer>[2]>;

/** Starts a server over a registry, with overrides in a file of its own unless a store is given. */
export async function startOverridden(
  t: Test,
  registry: string,
  {
    pollMs = 500,
    store: given,
    onIneffective,
    service,
    ...changes
  }: Changes & Pick<OverridesInForce, 'onIneffective'> & { pollMs?: number; store?: OverrideStore } = {},
): Promise<OverriddenServer> {
  const file = join(mkdtempSync(join(tmpdir(), 'overrides-')), 'overrides.yaml');
  const store =
    given ??
    openLocalOverrides({
      file,
      pollMs,
      scenarios: [...SCENARIOS.keys()],
      isStrict: true,
      observer: { changed: () => undefined, met: () => undefined },
    });
  t.teardown(() => {
    store.close();
    rmSync(dirname(file), { recursive: true });
  });
  const server = await startCachedServer(t, registry, {
    ...changes,
    overrides: store,
    service: {
      ...service,
      overrides: { current: () => store.current(), ...(onIneffective && { onIneffective }) },
    },
  });
  const ask = async (init: RequestInit = {}): Promise<OverridesReply> => {
    const answer = await fetch(`${server.adminUrl}/overrides`, init);
    const body = (await answer.json()) as OverridesReply['body'];
    return { status: answer.status, etag: answer.headers.get('etag'), body };
  };
  return {
    ...server,
    file,
    store,
    read: async () => ask(),
    put: async (document, ifMatch = '*') =>
      ask({
        method: 'PUT',
        headers: { 'content-type': 'application/json', 'if-match': ifMatch },
        body: JSON.stringify(document),
      }),
    ids: async (path) => (await server.get(path)).body.items.map(({ itemId }) => itemId),
  };
}
