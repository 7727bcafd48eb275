import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import type { Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { Settings } from '../../src/config/settings.js';
import { isInShare } from '../../src/domain/is-in-share.js';
import type { Impression } from '../../src/events/impression.js';
import { startServer } from '../../src/http/start-server.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { openSlateCache } from '../../src/serving/cache/open-slate-cache.js';
import type { ServiceDescription } from '../../src/serving/bundle-admin.js';
import type { ThreadOptions } from '../../src/serving/compute/thread-options.js';
import { openRecommender } from '../../src/serving/experiments/open-recommender.js';
import { buildSettings } from '../http/build.js';
import { askServer, type FaultAnswer } from './fault-server.js';
import { createServerParts } from './server-parts.js';
import { SCENARIOS } from './trained-bundle.js';

type Groups = 'canary' | 'shadow' | 'cache' | 'impressions' | 'compute';

export interface TrialServer {
  readonly url: string;
  readonly adminUrl: string;
  ask(userId: string, headers?: Record<string, string>): Promise<FaultAnswer>;
  reload(): Promise<{ status: number; body: ServiceDescription }>;
  describe(): Promise<ServiceDescription>;
  /** The value of one line of the metrics, without `shortlist_`; undefined where there is none. */
  metric(line: string): Promise<number | undefined>;
  /** Ends the server; gives what its impression log has. */
  stop(): Promise<Impression[]>;
}

/** Both listeners over the production channel of a registry, with what the settings try beside it open; without threads the event loop computes, which opens sooner. */
export async function startTrialServer(
  t: Test,
  registry: string,
  changes: { [G in Groups]?: Partial<Settings[G]> } & {
    logger?: Logger;
    threads?: ThreadOptions;
  } = {},
): Promise<TrialServer> {
  const folder = await mkdtemp(join(tmpdir(), 'shortlist-log-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const { logger = pino({ level: 'silent' }), threads, ...groups } = changes;
  const settings = buildSettings({
    shutdown: { drainDelayMs: 0 },
    ...groups,
    impressions: { enabled: true, folder, ...groups.impressions },
    compute: { deadlineMs: 60_000, ...groups.compute },
  });
  const metrics = createMetrics({ processMetrics: false });
  const parts = { settings, logger, metrics };
  const { recommender, admin, shadow } = openRecommender(
    {
      registry: createFolderRegistry(registry),
      channel: 'production',
      scenarios: SCENARIOS,
      ...(threads && { threads }),
      cache: await openSlateCache(settings, { logger, metrics: metrics.cache, release: '1' }),
    },
    parts,
  );
  const opened = new Promise<void>((resolve) =>
    admin.onChange!(() => {
      if (admin.describe()!.trials!.every(({ state }) => state !== 'opening')) resolve();
    }),
  );
  await admin.reload();
  if (admin.describe()!.trials !== undefined) await opened;
  const server = await startServer(
    createServerParts({ ...admin, recommend: recommender.recommend }, { ...parts, shadow }),
  );
  let stopping: Promise<void> | undefined;
  const end = (): Promise<void> => (stopping ??= server.stop());
  t.teardown(end);
  return {
    url: server.url,
    adminUrl: server.adminUrl,
    ask: (userId, headers) => askServer(server.url, userId, headers),
    reload: async () => {
      const answer = await fetch(`${server.adminUrl}/bundle/reload`, { method: 'POST' });
      return { status: answer.status, body: (await answer.json()) as ServiceDescription };
    },
    describe: async () => (await (await fetch(`${server.adminUrl}/bundle`)).json()) as ServiceDescription,
    metric: async (line) => {
      const text = await (await fetch(`${server.adminUrl}/metrics`)).text();
      const found = text.split('\n').find((one) => one.startsWith(`shortlist_${line} `));
      return found === undefined ? undefined : Number(found.slice(found.lastIndexOf(' ')));
    },
    stop: async () => {
      await end();
      return readdirSync(folder)
        .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
        .map((line) => JSON.parse(line) as Impression);
    },
  };
}

/** Of the users, those in a share of a trial, and the others. */
export function divide(
  users: readonly string[],
  share: number,
  purpose: 'canary' | 'shadow' = 'canary',
): { chosen: string[]; others: string[] } {
  const isChosen = (user: string): boolean => isInShare(user, share, { purpose });
  return { chosen: users.filter(isChosen), others: users.filter((user) => !isChosen(user)) };
}
