import { packError } from '../domain/packed-error.js';
import type {
  ProcessAnswers,
  ProcessBundle,
  ProcessOrder,
  ProcessReport,
} from '../serving/process-messages.js';
import type { AppParts } from './app-parts.js';
import { startPublicServer } from './start-server.js';
import { STOP_SIGNALS, stopWhenTold } from './stop-on-signals.js';

/**
 * Serves as one process of a group whose bundle is open: says so to the supervisor that started this process, listens when told to, answers
 * what it asks, and drains and ends when told to.
 */
export function serveInGroup(parts: Omit<AppParts, 'isDraining'>): void {
  const { service, metrics } = parts;
  const describe = (): ProcessBundle => ({ description: service.describe()!, views: service.views()! });
  const reload = async (options: { ifMoved: boolean }): Promise<ProcessBundle> => {
    await service.reload(options);
    return describe();
  };
  const answers: { [Q in keyof ProcessAnswers]: () => Promise<ProcessAnswers[Q]> } = {
    reload: () => reload({ ifMoved: false }),
    follow: () => reload({ ifMoved: true }),
    metrics: () => {
      metrics.showBundle(service.describe());
      return metrics.snapshot();
    },
  };
  // What a terminal sends to all processes is for the supervisor.
  for (const signal of STOP_SIGNALS) if (signal !== 'SIGTERM') process.on(signal, () => undefined);
  let stop = (): void => process.exit(0);

  async function obey(order: ProcessOrder): Promise<void> {
    if (order.order === 'stop') return stop();
    if (order.order === 'listen') {
      const server = await startPublicServer(parts);
      stop = stopWhenTold(server, parts);
      return say({ report: 'serving', url: server.url });
    }
    const { id, question } = order;
    try {
      say({ report: 'answered', id, answer: await answers[question]() });
    } catch (error) {
      say({ report: 'failed', id, error: packError(error) });
    }
  }

  process.on('message', (order: ProcessOrder) => {
    if ('order' in order) void obey(order);
  });
  say({ report: 'open', bundle: describe() });
  service.onChange?.(() => say({ report: 'changed', bundle: describe() }));
}

function say(report: ProcessReport): void {
  process.send!(report);
}
