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
import { requireAccess } from '../http/access/require-access.js';
import type { AppParts, ServerParts } from '../http/app-parts.js';
import { createOpenedThings, type OpenedThings } from '../domain/opened-things.js';
import { joinGroup } from '../http/serve-in-group.js';
import { startServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createMetrics } from '../observability/metrics/metrics.js';
import { openSourceAccess } from '../observability/source-observer.js';
import { createFeatureObserver } from '../serving/online/create-feature-observer.js';
import { createOnlineStoresOpener } from '../serving/online/online-stores-opener.js';
import { openSlateCache } from '../serving/cache/open-slate-cache.js';
import { createQuarantine, type Quarantine, type QuarantineChange } from '../serving/compute/quarantine.js';
import type { BundleDescription } from '../serving/recommendation-service.js';
import type { ThreadOptions } from '../serving/bundle-life/open-served-bundle.js';
import type { ServedBundleOptions } from '../serving/bundle-life/served-bundle.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openListenerParts } from './open-listener-parts.js';
import { openRegistry } from './open-registry.js';
import { openServerLog } from './open-server-log.js';
import { openReleases } from './open-releases.js';
import { openTracing } from './open-tracing.js';
import { createServeOptions, listFlags, type ServeOptions } from './serve-flags.js';
import { CLOSING_PATIENCE_MS, PLACE_VARIABLE, supervise } from './supervise.js';

export function createServeCommand(context: CommandContext): Command {
  const command = new Command('serve').description(
    'Serve the bundle that the channel of SHORTLIST_ENV points at, on PORT (3000) and ADMIN_PORT (3001).',
  );
  for (const option of createServeOptions()) command.addOption(option);
  return command.action(async (options: ServeOptions) => {
    const settings = loadSettings({ ...context, flags: listFlags(options) });
    // Told before the bundle loads, which may take a while.
    requireAccess(settings);
    const { processes } = settings.supervisor;
    if (cluster.isWorker) return serveInPlace(settings, context);
    if (processes > 0) return supervise(processes, settings, context);
    return serveAlone(settings, context);
  });
}

async function serveAlone(settings: Settings, context: CommandContext): Promise<void> {
  const opened = createOpenedThings();
  try {
    const { parts, bundle } = await openService(settings, context, { opened });
    const server = await startServer(parts);
    stopOnSignals(server, parts);
    // Standard output is the log; this line is for the person at the terminal.
    context.printError(
      `Shortlist serves ${bundle.dataset} (${bundle.version}) at ${server.url}; try ${server.url}/docs`,
    );
  } catch (error) {
    await opened.close({ patienceMs: CLOSING_PATIENCE_MS });
    throw error;
  }
}

/** As a process of a group. One that fails tells its supervisor why, which tells whoever started the group. */
async function serveInPlace(settings: Settings, context: CommandContext): Promise<void> {
  const opened = createOpenedThings();
  const known: { quarantine?: Quarantine } = {};
  const member = joinGroup({
    closeAll: () => opened.close({ patienceMs: CLOSING_PATIENCE_MS }),
    learn: (change) => known.quarantine?.learn(change),
  });
  try {
    const { parts, quarantine } = await openService(settings, context, {
      opened,
      onHeld: (change) => member.tell(change),
    });
    Object.assign(known, { quarantine });
    member.serve(parts);
  } catch (error) {
    member.refuse(error);
  }
}

interface Service {
  readonly parts: ServerParts;
  readonly bundle: BundleDescription;
  readonly quarantine: Quarantine | undefined;
}

/**
 * @param options.opened takes care of each thing from the moment that it is open; who calls closes them when something fails
 * @param options.onHeld is told of requests that other processes should not meet
 */
async function openService(
  settings: Settings,
  context: CommandContext,
  { opened, onHeld }: { opened: OpenedThings; onHeld?: (change: QuarantineChange) => void },
): Promise<Service> {
  const { channel, trialSilenceMs } = settings.bundle;
  const place = context.env[PLACE_VARIABLE];
  const metrics = createMetrics({
    processMetrics: true,
    ...(place !== undefined && { labels: { process: place } }),
  });
  const logger = openServerLog(settings, { metrics: metrics.telemetry, process: place });
  const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
  const clock = (): number => context.now().getTime() / 1000;
  const sources = openSourceAccess(settings.sources, { logger, metrics: metrics.dependencies });
  const registry = await openRegistry(settings.bundle, context, sources);
  const cache = await openSlateCache(settings, {
    logger,
    metrics: metrics.cache,
    release: context.codeVersion,
  });
  opened.add(cache, () => cache?.close());
  const quarantine = openQuarantine({ settings, metrics }, onHeld);
  const stable: ServedBundleOptions = {
    registry,
    channel,
    dataset: () => settings.bundle.dataset,
    scenarios: readScenarios(join(context.configsDir, 'scenarios')),
    memoryLimitBytes: memoryLimitMegabytes * 1e6,
    access: sources,
    observer: createFeatureObserver(
      { metrics: metrics.features, logger, clock },
      { minLoadMegabytesPerSecond },
    ),
    clock,
    threads: describeThreads({ settings, logger, metrics }, quarantine),
    trialSilenceMs: trialSilenceMs || undefined,
    deadlineMs: settings.compute.deadlineMs,
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics: metrics.features }),
    vectorEngine: settings.vectorEngine.enabled ? describeVectorEngine(settings) : undefined,
    drift: { ...settings.drift, onWindow: (drifts) => metrics.drift.showDrift(drifts) },
    cache,
  };
  const { service, shadow } = openReleases(stable, { settings, logger, metrics });
  opened.add(service, () => service.close());
  const bundle = await service.reload();
  logger.info({ bundle }, 'bundle open');
  const logging = { logger, metrics: metrics.logs };
  const impressions = opened.add(openImpressionLog(settings, logging), (log) => log?.close());
  const featureLog = opened.add(openFeatureLog(settings, logging), (log) => log?.close());
  const tracing = opened.add(
    await openTracing(settings, { logger, metrics: metrics.telemetry, version: context.codeVersion }),
    (traces) => traces?.close(),
  );
  const followed = {
    registry,
    logger,
    metrics: metrics.bundle,
    descriptions: () => [service.describe()!],
    reload: () => service.reload({ ifMoved: true }),
  };
  // In a group the supervisor watches, and has one process after the other open a bundle.
  const watch = place === undefined ? openChannelWatch(settings, followed) : undefined;
  opened.add(watch, () => watch?.stop());
  return {
    parts: {
      service,
      settings,
      logger,
      metrics,
      impressions,
      featureLog,
      tracing,
      watch,
      shadow,
      ...openListenerParts({ settings, service, metrics, dependencies: sources }),
    },
    bundle,
    quarantine,
  };
}

/** What is set, or else this process's share of the cores. */
function countThreads({ compute, supervisor }: Settings): number {
  return (
    compute.workers || Math.max(1, Math.floor(availableParallelism() / Math.max(1, supervisor.processes)))
  );
}

function openQuarantine(
  { settings: { compute }, metrics }: Pick<AppParts, 'settings' | 'metrics'>,
  onHeld?: (change: QuarantineChange) => void,
): Quarantine | undefined {
  if (compute.quarantineSeconds === 0) return undefined;
  return createQuarantine({
    lifeMs: 1000 * compute.quarantineSeconds,
    onSize: (keys) => metrics.compute.showQuarantined(keys),
    onChange: (change) => {
      if (change.kind === 'hold') metrics.compute.countQuarantined(change.keys.length);
      onHeld?.(change);
    },
  });
}

function describeThreads(
  { settings, logger, metrics }: Pick<AppParts, 'settings' | 'logger' | 'metrics'>,
  quarantine: Quarantine | undefined,
): ThreadOptions {
  const { compute } = settings;
  // Nobody catches it: the process drains and ends.
  const end = (error: Error): never => {
    throw error;
  };
  return {
    workers: countThreads(settings),
    maxBatch: compute.maxBatch,
    maxWaiting: compute.maxWaiting,
    minDepth: compute.minDepth,
    rankerGuard: {
      budgetMs: compute.rankerBudgetShare * compute.deadlineMs,
      probeAfterMs: compute.rankerProbeAfterMs,
    },
    onBatch: (batch) => metrics.compute.observeBatch(batch),
    onLost: (err) => {
      metrics.compute.countLostThread();
      logger.error({ err }, 'a computing thread was lost');
    },
    onThreads: (change) => metrics.compute.changeThreads(change),
    quarantine,
    watch: { hangMs: compute.hangMs, onHung: end },
    desertion: { afterMs: compute.desertedMs, onDeserted: end },
  };
}
