import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createFolderRegistry } from '../bundle/folder-registry.js';
import { loadSettings } from '../config/load-settings.js';
import { readScenarios } from '../config/scenario-config.js';
import { requireApiKeys } from '../http/access/authenticator.js';
import type { AppParts } from '../http/app-parts.js';
import { startServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createLogger } from '../observability/create-logger.js';
import { createMetrics } from '../observability/metrics.js';
import { createFeatureObserver } from '../serving/create-feature-observer.js';
import { createOnlineStoresOpener } from '../serving/online-stores-opener.js';
import { openSlateCache } from '../serving/open-slate-cache.js';
import type { ThreadOptions } from '../serving/open-served-bundle.js';
import { createServedBundle } from '../serving/served-bundle.js';
import type { CommandContext } from './command-context.js';

export function createServeCommand(context: CommandContext): Command {
  return new Command('serve')
    .description(
      'Serve the bundle that the channel of SHORTLIST_ENV points at, on PORT (3000) and ADMIN_PORT (3001).',
    )
    .addOption(
      new Option(
        '--workers <threads>',
        'threads that compute; 0 is one for each core; by default what compute.workers says',
      ).argParser(parseWorkers),
    )
    .action(async ({ workers }: { workers?: number }) => {
      const settings = loadSettings(context);
      // Told before the bundle loads, which may take a while.
      requireApiKeys(settings);
      const { registry, channel, trialSilenceMs } = settings.bundle;
      const logger = createLogger({ level: settings.logging.level, writing: 'async' });
      const metrics = createMetrics({ processMetrics: true });
      const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
      const clock = (): number => context.now().getTime() / 1000;
      const service = createServedBundle({
        registry: createFolderRegistry(registry),
        channel,
        scenarios: readScenarios(join(context.configsDir, 'scenarios')),
        memoryLimitBytes: memoryLimitMegabytes * 1e6,
        observer: createFeatureObserver({ metrics, logger, clock }, { minLoadMegabytesPerSecond }),
        clock,
        threads: describeThreads(workers ?? settings.compute.workers, { settings, logger, metrics }),
        trialSilenceMs: trialSilenceMs || undefined,
        deadlineMs: settings.compute.deadlineMs,
        openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics }),
        cache: await openSlateCache(settings, { logger, metrics, release: context.codeVersion }),
      });
      const bundle = await service.reload();
      logger.info({ bundle }, 'bundle open');
      const parts = { service, settings, logger, metrics };
      const server = await startServer(parts);
      stopOnSignals(server, parts);
      // Standard output is the log; this line is for the person at the terminal.
      context.printError(
        `Shortlist serves ${bundle.dataset} (${bundle.version}) at ${server.url}; try ${server.url}/docs`,
      );
    });
}

function parseWorkers(text: string): number {
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers <= 256) return workers;
  throw new InvalidArgumentError('Allowed is an integer from 0 to 256.');
}

function describeThreads(
  workers: number,
  { settings: { compute }, logger, metrics }: Pick<AppParts, 'settings' | 'logger' | 'metrics'>,
): ThreadOptions {
  return {
    workers: workers || availableParallelism(),
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
