import type { Overrides } from '../rules/overrides.js';
import type { MetricsSnapshot } from '../observability/metrics/metrics.js';
import { packError } from '../domain/packed-error.js';
import type {
  ProcessAnswers,
  ProcessBundle,
  ProcessOrder,
  ProcessQuestion,
  ProcessReport,
} from '../serving/processes/process-messages.js';
import type { QuarantineChange } from '../serving/compute/quarantine.js';
import type { AppParts } from './app-parts.js';
import { endBusyProcess } from './end-busy-process.js';
import { startPublicServer } from './start-server.js';
import { STOP_SIGNALS, stopWhenTold } from './stop-on-signals.js';

/** A process of a group, as its supervisor sees it from its first moment. */
export interface GroupMember {
  /**
   * Serves: the bundle of the parts is open. Says so to the supervisor, listens when told to, answers what it asks, and drains and ends
   * when told to.
   */
  serve(parts: Omit<AppParts, 'isDraining'>): void;
  /** Tells the supervisor why this process cannot serve, and ends it with 1. */
  refuse(error: unknown): void;
  /** Tells the supervisor, which tells the other processes. */
  tell(change: QuarantineChange): void;
}

/**
 * Makes this process one of the group of the supervisor that started it: from now on it says that it lives whenever it is asked, and ends when
 * it is told to.
 * @param options.closeAll closes what the process has opened, when it cannot serve
 * @param options.learn is told of requests that other processes met
 * @param options.adopt is told, before it listens, of the overrides that the supervisor has in force
 */
export function joinGroup({
  closeAll,
  learn,
  adopt,
}: {
  closeAll: () => Promise<void>;
  learn: (change: QuarantineChange) => void;
  adopt: (overrides: Overrides) => void;
}): GroupMember {
  let parts: Omit<AppParts, 'isDraining'> | undefined;
  let stop = (): void => process.exit(0);
  process.on('exit', endBusyProcess);
  // What a terminal sends to all processes is for the supervisor.
  for (const signal of STOP_SIGNALS) if (signal !== 'SIGTERM') process.on(signal, () => undefined);

  function refuse(error: unknown): void {
    void closeAll().then(() => say({ report: 'refused', error: packError(error) }, () => process.exit(1)));
  }

  async function listen(known: Omit<AppParts, 'isDraining'>): Promise<void> {
    const server = await startPublicServer(known);
    stop = stopWhenTold(server, known);
    say({ report: 'serving', url: server.url });
  }

  function obey(order: ProcessOrder): void {
    if (order.order === 'ping') say({ report: 'alive' });
    else if (order.order === 'quarantine') learn(order.change);
    else if (order.order === 'overrides') adopt(order.overrides);
    else if (order.order === 'stop') stop();
    else if (order.order === 'listen') listen(parts!).catch(refuse);
    else void answer(order, parts!);
  }

  process.on('message', (order: ProcessOrder) => {
    if ('order' in order) obey(order);
  });
  return {
    serve: (known) => {
      parts = known;
      say({ report: 'open', bundle: describe(known) });
      known.bundleAdmin.onChange?.(() => say({ report: 'changed', bundle: describe(known) }));
    },
    refuse,
    tell: (change) => say({ report: 'quarantine', change }),
  };
}

function describe({ bundleAdmin }: Pick<AppParts, 'bundleAdmin'>): ProcessBundle {
  return { description: bundleAdmin.describe()!, views: bundleAdmin.views()! };
}

async function answer(
  { id, asked }: Extract<ProcessOrder, { order: 'answer' }>,
  parts: Pick<AppParts, 'bundleAdmin' | 'metrics'>,
): Promise<void> {
  try {
    say({ report: 'answered', id, answer: await answerOne(asked, parts) });
  } catch (error) {
    say({ report: 'failed', id, error: packError(error) });
  }
}

type Answered = ProcessAnswers[keyof ProcessAnswers];

function answerOne(
  asked: ProcessQuestion,
  parts: Pick<AppParts, 'bundleAdmin' | 'metrics'>,
): Answered | Promise<Answered> {
  const { bundleAdmin } = parts;
  switch (asked.question) {
    case 'reload':
    case 'follow':
      return reload(parts, { ifMoved: asked.question === 'follow' });
    case 'metrics':
      return readMetrics(parts);
    case 'overrides':
      return bundleAdmin.checkOverrides(asked.about);
    case 'inspect':
      return bundleAdmin.inspect(asked.about);
    case 'items':
      return bundleAdmin.findItems(asked.about);
    default:
      return asked.question === 'alive';
  }
}

function readMetrics({
  bundleAdmin,
  metrics,
}: Pick<AppParts, 'bundleAdmin' | 'metrics'>): Promise<MetricsSnapshot> {
  metrics.bundle.showBundle(bundleAdmin.describe());
  return metrics.snapshot();
}

async function reload(
  parts: Pick<AppParts, 'bundleAdmin'>,
  options: { ifMoved: boolean },
): Promise<ProcessBundle> {
  await parts.bundleAdmin.reload(options);
  return describe(parts);
}

function say(report: ProcessReport, onSent?: () => void): void {
  process.send!(report, undefined, undefined, onSent);
}
