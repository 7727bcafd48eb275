import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { describeVectorEngine } from '../candidates/vector-engine.js';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { readScenarios } from '../config/scenario-config.js';
import { openFeatureLog } from '../events/feature-log.js';
import { openImpressionLog } from '../events/impression-log.js';
import { requireApiKeys } from '../http/access/authenticator.js';
import type { AppParts } from '../http/app-parts.js';
import { serveInGroup } from '../http/serve-in-group.js';
import { startServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createLogger } from '../observability/create-logger.js';
import { createMetrics } from '../observability/metrics.js';
import { openSourceAccess } from '../observability/source-observer.js';
import { createFeatureObserver } from '../serving/create-feature-observer.js';
import { createOnlineStoresOpener } from '../serving/online-stores-opener.js';
import { openSlateCache } from '../serving/open-slate-cache.js';
import type { BundleDescription } from '../serving/recommendation-service.js';
import type { ThreadOptions } from '../serving/open-served-bundle.js';
import type { ServedBundleOptions } from '../serving/served-bundle.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openRegistry } from './open-registry.js';
import { openReleases } from './open-releases.js';
import { openTracing } from './open-tracing.js';
import { createServeOptions, listFlags, type ServeOptions } from './serve-flags.js';
import { PLACE_VARIABLE, supervise } from './supervise.js';

export function createServeCommand(context: CommandContext): Command {
  const command = new Command('serve').description(
    'Serve the bundle that the channel of SHORTLIST_ENV points at, on PORT (3000) and ADMIN_PORT (3001).',
  );
  for (const option of createServeOptions()) command.addOption(option);
  return command.action(async (options: ServeOptions) => {
    const settings = loadSettings({ ...context, flags: listFlags(options) });
    // Told before the bundle loads, which may take a while.
    requireApiKeys(settings);
    const { processes } = settings.supervisor;
    if (cluster.isWorker) return serveInPlace(settings, context);
    if (processes > 0) return supervise(processes, settings, context);
    const { parts, bundle } = await openService(settings, context);
    const server = await startServer(parts);
    stopOnSignals(server, parts);
    // Standard output is the log; this line is for the person at the terminal.
    context.printError(
      `Shortlist serves ${bundle.dataset} (${bundle.version}) at ${server.url}; try ${server.url}/docs`,
    );
  });
}

/** As a process of a group. One that fails has to let go of its supervisor, or it would never end. */
async function serveInPlace(settings: Settings, context: CommandContext): Promise<void> {
  try {
    serveInGroup((await openService(settings, context)).parts);
  } catch (error) {
    cluster.worker!.disconnect();
    throw error;
  }
}

async function openService(
  settings: Settings,
  context: CommandContext,
): Promise<{ parts: AppParts; bundle: BundleDescription }> {
  const { channel, trialSilenceMs } = settings.bundle;
  const place = context.env[PLACE_VARIABLE];
  const logger = createLogger({ level: settings.logging.level, writing: 'async', process: place });
  const metrics = createMetrics({
    processMetrics: true,
    ...(place !== undefined && { labels: { process: place } }),
  });
  const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
  const clock = (): number => context.now().getTime() / 1000;
  const sources = openSourceAccess(settings.sources, { logger, metrics });
  const registry = await openRegistry(settings.bundle, context, sources);
  const stable: ServedBundleOptions = {
    registry,
    channel,
    scenarios: readScenarios(join(context.configsDir, 'scenarios')),
    memoryLimitBytes: memoryLimitMegabytes * 1e6,
    access: sources,
    observer: createFeatureObserver({ metrics, logger, clock }, { minLoadMegabytesPerSecond }),
    clock,
    threads: describeThreads({ settings, logger, metrics }),
    trialSilenceMs: trialSilenceMs || undefined,
    deadlineMs: settings.compute.deadlineMs,
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics }),
    vectorEngine: settings.vectorEngine.enabled ? describeVectorEngine(settings) : undefined,
    drift: { ...settings.drift, onWindow: (drifts) => metrics.showDrift(drifts) },
    cache: await openSlateCache(settings, { logger, metrics, release: context.codeVersion }),
  };
  const { service, shadow } = openReleases(stable, { settings, logger, metrics });
  const bundle = await service.reload();
  logger.info({ bundle }, 'bundle open');
  const impressions = openImpressionLog(settings, { logger, metrics });
  const featureLog = openFeatureLog(settings, { logger, metrics });
  const tracing = await openTracing(settings, { logger, metrics, version: context.codeVersion });
  const followed = {
    registry,
    logger,
    metrics,
    descriptions: () => [service.describe()!],
    reload: () => service.reload({ ifMoved: true }),
  };
  // In a group the supervisor watches, and has one process after the other open a bundle.
  const watch = place === undefined ? openChannelWatch(settings, followed) : undefined;
  return {
    parts: { service, settings, logger, metrics, impressions, featureLog, tracing, watch, shadow },
    bundle,
  };
}

/** What is set, or else this process's share of the cores. */
function countThreads({ compute, supervisor }: Settings): number {
  return (
    compute.workers || Math.max(1, Math.floor(availableParallelism() / Math.max(1, supervisor.processes)))
  );
}

function describeThreads({
  settings,
  logger,
  metrics,
}: Pick<AppParts, 'settings' | 'logger' | 'metrics'>): ThreadOptions {
  const { compute } = settings;
  return {
    workers: countThreads(settings),
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
