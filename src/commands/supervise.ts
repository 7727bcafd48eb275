import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { openForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { createOpenedThings, type OpenedThings } from '../domain/opened-things.js';
import { startAdminServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createMetrics, mergeMetrics } from '../observability/metrics/metrics.js';
import { openDependencyAccess } from '../observability/dependency-observer.js';
import { createProcessGroup } from '../serving/processes/process-group.js';
import type { ServerProcess } from '../serving/processes/server-process.js';
import { createServingEnvironment } from '../serving/bundle-life/serving-environment.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openListenerParts } from './open-listener-parts.js';
import { openOverriddenScenarios } from './open-overridden-scenarios.js';
import { openRegistry } from './open-registry.js';
import { openServerLog } from './open-server-log.js';
import { tellExplorer } from './tell-explorer.js';

/** Sets `bundle.dataset`. */
const DATASET_VARIABLE = 'SHORTLIST_SERVED_DATASET';

/** Tells a server process of a group its place. */
export const PLACE_VARIABLE = 'SHORTLIST_PROCESS_PLACE';

/** Longest wait for things that do not close, before the error that everything is closed for is reported. */
export const CLOSING_PATIENCE_MS = 3000;

/** What the supervisor is called beside the places of its processes, in log lines and metrics. */
const SUPERVISOR = 'supervisor';

/**
 * Runs the command line so many times as server processes behind one public listener, keeps them running, and has the admin
 * listener for all of them.
 * @throws ShortlistError why one of them cannot serve, PROCESS_FAILED when it does not say so; INVALID_CONFIG when the admin listener cannot
 * be bound. No process is left then
 */
export async function supervise(
  processes: number,
  settings: Settings,
  context: CommandContext,
): Promise<void> {
  const opened = createOpenedThings();
  try {
    await superviseWith(opened, { processes, settings, context });
  } catch (error) {
    await opened.close({ patienceMs: CLOSING_PATIENCE_MS });
    throw error;
  }
}

async function superviseWith(
  opened: OpenedThings,
  { processes, settings, context }: { processes: number; settings: Settings; context: CommandContext },
): Promise<void> {
  const metrics = createMetrics({ processMetrics: true, labels: { process: SUPERVISOR } });
  const logger = openServerLog(settings, { metrics: metrics.telemetry, process: SUPERVISOR });
  let findServedDataset = (): string | undefined => undefined;
  const registry = await openRegistry(settings.bundle, context);
  const parts = { opened, logger, metrics, isStrict: true };
  const { overrides } = await openOverriddenScenarios(settings, context, parts);
  const group = opened.add(
    createProcessGroup({
      ...settings.supervisor,
      processes,
      overrides,
      quarantineMs: 1000 * settings.compute.quarantineSeconds,
      start: (place) =>
        startProcess(place, { logger, context, dataset: settings.bundle.dataset || findServedDataset() }),
      random: Math.random,
      onLost: (end) => {
        metrics.processes.countLostProcess();
        if (end.wasSilent) metrics.processes.countSilentProcess();
        logger.error(end, 'a server process ended by itself');
      },
      // Nobody catches it: the others drain, and this process ends.
      onGivenUp: (error) => {
        throw error;
      },
    }),
    (started) => started.kill(),
  );
  findServedDataset = () => group.describe()?.dataset;
  // Whatever ends this process ends them: one that is stopped or hangs would not notice.
  process.on('exit', () => group.kill());
  let closeAdmin = async (): Promise<void> => undefined;
  const watch = openChannelWatch(settings, {
    registry,
    logger,
    metrics: metrics.bundle,
    descriptions: () => group.descriptions(),
    reload: () => group.reload({ ifMoved: true }),
  });
  opened.add(watch, () => watch?.stop());
  const stop = async (): Promise<void> => {
    watch?.stop();
    await group.stop();
    await closeAdmin();
  };
  opened.add(stopOnSignals({ stop }, { logger, settings }), ({ forget }) => forget());
  const url = await group.serving;
  const merged = {
    ...metrics,
    // Each process shows its own.
    bundle: { ...metrics.bundle, showBundle: () => undefined },
    render: async () => mergeMetrics([await metrics.snapshot(), ...(await group.metrics())]),
  };
  const dependencies = openDependencyAccess(settings.sources, { logger, metrics: metrics.dependencies });
  const clock = (): number => context.now().getTime() / 1000;
  const forgotten = await openForgottenUsers(settings, { logger, metrics: metrics.forgetting, clock });
  opened.add(forgotten, () => forgotten.close());
  const admin = await startAdminServer({
    settings,
    logger,
    bundleAdmin: group,
    metrics: merged,
    ...openListenerParts({ settings, bundleAdmin: group, metrics, dependencies, forgotten, overrides }),
  });
  closeAdmin = async () => {
    await admin.stop();
    forgotten.close();
    overrides.close();
  };
  const { dataset, version } = group.describe()!;
  context.printError(`Shortlist serves ${dataset} (${version}) at ${url}; try ${url}/docs`);
  tellExplorer(admin.adminUrl, settings, context);
}

function startProcess(
  place: number,
  { logger, context, dataset }: { logger: Logger; context: CommandContext; dataset: string | undefined },
): ServerProcess {
  const started = cluster.fork({
    ...createServingEnvironment(context.env),
    [PLACE_VARIABLE]: String(place),
    // One that is started anew serves the shop that the others do, wherever the channel points by then.
    [DATASET_VARIABLE]: dataset,
  });
  cutLostConnection(started);
  logger.info({ place, processId: started.process.pid }, 'server process started');
  // `Worker.kill` waits until the process lets go of its connection, which one that is stopped never does.
  return Object.assign(started, {
    kill: (signal: 'SIGKILL') => started.process.kill(signal),
  }) as unknown as ServerProcess;
}

/** What `node:cluster` sends with a connection that it hands to a process. */
interface Handover {
  readonly act?: string;
  readonly seq?: number;
}

/**
 * A connection that was handed to a process which ended before it took it would stay open for ever, and its client wait: Node keeps
 * what it waits for to itself, so that it is read off the messages. (Letting the processes take connections by themselves, `SCHED_NONE`,
 * gave all sixteen connections of a test to one of two processes.)
 */
function cutLostConnection({ process: child }: Worker): void {
  let handed: { seq: number | undefined; connection: { close(): void } } | undefined;
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const [message, connection] = args as [Handover, { close(): void } | undefined];
    if (message.act === 'newconn' && connection !== undefined) handed = { seq: message.seq, connection };
    return send(...args);
  };
  child.on('internalMessage', ({ ack }: { ack?: number }) => {
    if (ack === handed?.seq) handed = undefined;
  });
  child.once('exit', () => handed?.connection.close());
}
