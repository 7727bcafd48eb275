import cluster, { type Worker } from 'node:cluster';
import type { Settings } from '../config/settings.js';
import { startAdminServer } from '../http/start-server.js';
import { stopOnSignals } from '../http/stop-on-signals.js';
import { createLogger } from '../observability/create-logger.js';
import { createMetrics, mergeMetrics } from '../observability/metrics.js';
import { createProcessGroup, type ServerProcess } from '../serving/process-group.js';
import { createServingEnvironment } from '../serving/serving-environment.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openRegistry } from './open-registry.js';

/** Tells a server process of a group its place. */
export const PLACE_VARIABLE = 'SHORTLIST_PROCESS_PLACE';

/** What the supervisor is called beside the places of its processes, in log lines and metrics. */
const SUPERVISOR = 'supervisor';

/**
 * Runs the command line so many times as server processes behind one public listener, keeps them running, and has the admin
 * listener for all of them.
 * @throws ShortlistError PROCESS_FAILED when one of them does not come up; INVALID_CONFIG when the admin listener cannot be bound
 */
export async function supervise(
  processes: number,
  settings: Settings,
  context: CommandContext,
): Promise<void> {
  const logger = createLogger({
    level: settings.logging.level,
    writing: 'async',
    process: SUPERVISOR,
  });
  const metrics = createMetrics({ processMetrics: true, labels: { process: SUPERVISOR } });
  const group = createProcessGroup({
    ...settings.supervisor,
    processes,
    start: (place) => {
      const started = cluster.fork({
        ...createServingEnvironment(context.env),
        [PLACE_VARIABLE]: String(place),
      });
      cutLostConnection(started);
      logger.info({ place, processId: started.process.pid }, 'server process started');
      return started as unknown as ServerProcess;
    },
    random: Math.random,
    onLost: (end) => {
      metrics.countLostProcess();
      logger.error(end, 'a server process ended by itself');
    },
    // Nobody catches it: the others drain, and this process ends.
    onGivenUp: (error) => {
      throw error;
    },
  });
  let closeAdmin = async (): Promise<void> => undefined;
  const registry = await openRegistry(settings.bundle, context);
  const watch = openChannelWatch(settings, {
    registry,
    logger,
    metrics,
    descriptions: () => group.descriptions(),
    reload: () => group.reload({ ifMoved: true }),
  });
  const stop = async (): Promise<void> => {
    watch?.stop();
    await group.stop();
    await closeAdmin();
  };
  stopOnSignals({ stop }, { logger, settings });
  const url = await group.serving;
  const merged = {
    ...metrics,
    // Each process shows its own.
    showBundle: () => undefined,
    render: async () => mergeMetrics([await metrics.snapshot(), ...(await group.metrics())]),
  };
  const admin = await startAdminServer({ service: group, settings, logger, metrics: merged });
  closeAdmin = admin.stop;
  const { dataset, version } = group.describe()!;
  context.printError(`Shortlist serves ${dataset} (${version}) at ${url}; try ${url}/docs`);
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
