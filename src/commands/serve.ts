import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { readScenarios } from '../config/scenario-config.js';
import { requireApiKeys } from '../http/access/authenticator.js';
import type { AppParts } from '../http/app-parts.js';
import { serveInGroup } from '../http/serve-in-group.js';
import { startServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createLogger } from '../observability/create-logger.js';
import { createMetrics } from '../observability/metrics.js';
import { createFeatureObserver } from '../serving/create-feature-observer.js';
import { createOnlineStoresOpener } from '../serving/online-stores-opener.js';
import { openSlateCache } from '../serving/open-slate-cache.js';
import type { BundleDescription } from '../serving/recommendation-service.js';
import type { ThreadOptions } from '../serving/open-served-bundle.js';
import { createServedBundle } from '../serving/served-bundle.js';
import type { CommandContext } from './command-context.js';
import { PLACE_VARIABLE, supervise } from './supervise.js';

export function createServeCommand(context: CommandContext): Command {
  return new Command('serve')
    .description(
      'Serve the bundle that the channel of SHORTLIST_ENV points at, on PORT (3000) and ADMIN_PORT (3001).',
    )
    .addOption(
      new Option(
        '--workers <threads>',
        'threads that compute in each process; 0 is one for each core, shared among the processes; by default what compute.workers says',
      ).argParser(parseCount),
    )
    .addOption(
      new Option(
        '--processes <count>',
        'server processes behind the listener, kept running by a supervisor; by default what supervisor.processes says',
      ).argParser(parseCount),
    )
    .action(async (options: ServeOptions) => {
      const settings = loadSettings(context);
      // Told before the bundle loads, which may take a while.
      requireApiKeys(settings);
      const processes = options.processes ?? settings.supervisor.processes;
      const share = { processes, workers: options.workers ?? settings.compute.workers };
      if (cluster.isWorker) return serveInPlace(settings, context, share);
      if (processes > 0) return supervise(processes, settings, context);
      const { parts, bundle } = await openService(settings, context, share);
      const server = await startServer(parts);
      stopOnSignals(server, parts);
      // Standard output is the log; this line is for the person at the terminal.
      context.printError(
        `Shortlist serves ${bundle.dataset} (${bundle.version}) at ${server.url}; try ${server.url}/docs`,
      );
    });
}

interface ServeOptions {
  readonly workers?: number;
  readonly processes?: number;
}

/** As what a process is to serve: 0 processes is alone, 0 workers its share of the cores. */
interface Share {
  readonly processes: number;
  readonly workers: number;
}

/** As a process of a group. One that fails has to let go of its supervisor, or it would never end. */
async function serveInPlace(settings: Settings, context: CommandContext, share: Share): Promise<void> {
  try {
    serveInGroup((await openService(settings, context, share)).parts);
  } catch (error) {
    cluster.worker!.disconnect();
    throw error;
  }
}

async function openService(
  settings: Settings,
  context: CommandContext,
  share: Share,
): Promise<{ parts: AppParts; bundle: BundleDescription }> {
  const { registry, channel, trialSilenceMs } = settings.bundle;
  const logger = createLogger({ level: settings.logging.level, writing: 'async' });
  const place = context.env[PLACE_VARIABLE];
  const metrics = createMetrics({
    processMetrics: true,
    ...(place !== undefined && { labels: { process: place } }),
  });
  const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
  const clock = (): number => context.now().getTime() / 1000;
  const service = createServedBundle({
    registry: createFolderRegistry(registry),
    channel,
    scenarios: readScenarios(join(context.configsDir, 'scenarios')),
    memoryLimitBytes: memoryLimitMegabytes * 1e6,
    observer: createFeatureObserver({ metrics, logger, clock }, { minLoadMegabytesPerSecond }),
    clock,
    threads: describeThreads(countThreads(share), { settings, logger, metrics }),
    trialSilenceMs: trialSilenceMs || undefined,
    deadlineMs: settings.compute.deadlineMs,
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics }),
    cache: await openSlateCache(settings, { logger, metrics, release: context.codeVersion }),
  });
  const bundle = await service.reload();
  logger.info({ bundle }, 'bundle open');
  return { parts: { service, settings, logger, metrics }, bundle };
}

function countThreads({ processes, workers }: Share): number {
  return workers || Math.max(1, Math.floor(availableParallelism() / Math.max(1, processes)));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= 256) return count;
  throw new InvalidArgumentError('Allowed is an integer from 0 to 256.');
}

function describeThreads(
  workers: number,
  { settings: { compute }, logger, metrics }: Pick<AppParts, 'settings' | 'logger' | 'metrics'>,
): ThreadOptions {
  return {
    workers,
    maxBatch: compute.maxBatch,
    maxWaiting: compute.maxWaiting,
    minDepth: compute.minDepth,
    rankerGuard: {
      budgetMs: compute.rankerBudgetShare * compute.deadlineMs,
      probeAfterMs: compute.rankerProbeAfterMs,
    },
    onBatch: (batch) => metrics.observeBatch(batch),
    onLost: (err) => {
      metrics.countLostThread();
      logger.error({ err }, 'a computing thread was lost');
    },
    watch: {
      hangMs: compute.hangMs,
      // Nobody catches it: the process drains and ends.
      onHung: (error) => {
        throw error;
      },
    },
  };
}
