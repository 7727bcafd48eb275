import { setTimeout as wait } from 'node:timers/promises';
import type { EventStore } from '../../src/events/event-store.js';
import { openEventStore } from '../../src/events/open-event-store.js';
import { startServer } from '../../src/http/start-server.js';
import { stopOnSignals } from '../../src/http/stop-on-signals.js';
import { createLogger } from '../../src/observability/create-logger.js';
import { createMetrics } from '../../src/observability/metrics/metrics.js';
import { buildSettings } from './build.js';
import { createServerParts } from '../support/server-parts.js';
import { MemoryService } from './memory-service.js';

/** What a test tells the process: hold answers back, or fail outside of any request. */
export type Command = 'hold' | 'release' | 'throw' | 'reject' | 'break-timer' | 'break-promise';

/** What the process tells the test. */
export type Report = { url: string; adminUrl: string } | { done: Command } | { keeping: number };

/**
 * A server over the service in memory as a process of its own: a test of signals needs one. Its log goes to stdout. It takes events where it is
 * told to.
 */
async function main(overrides: Parameters<typeof buildSettings>[0]): Promise<void> {
  const service = new MemoryService();
  // Set by a command: what the next request leaves behind, to fail after its answer.
  let leaveBehind = (): void => undefined;
  let release = (): void => undefined;
  // Answers take a moment, so that some are always under way.
  const recommend = service.recommend.bind(service);
  service.recommend = async (request) => {
    leaveBehind();
    await wait(5);
    return recommend(request);
  };
  const settings = buildSettings(overrides);
  const logger = createLogger({ level: 'info', writing: 'async' });
  const metrics = createMetrics({ processMetrics: false });
  const takesEvents = overrides?.events?.enabled === true;
  const clock = (): number => Date.now() / 1000;
  const events = takesEvents
    ? await openEventStore(settings, { logger, metrics: metrics.events, clock })
    : undefined;
  const parts = {
    ...createServerParts(service, { settings, logger, metrics }),
    events: events && tellOfKeeping(events.store),
  };
  const server = await startServer(parts);
  stopOnSignals(server, parts);
  const actions: Record<Command, () => void> = {
    hold: () => void (release = service.hold()),
    release: () => release(),
    throw: () => setImmediate(() => throwLater()),
    reject: () => void Promise.reject(new Error('nobody waits for this')),
    'break-timer': () => {
      leaveBehind = () => void setTimeout(throwLater, 20);
    },
    'break-promise': () => {
      leaveBehind = () => void wait(20).then(throwLater);
    },
  };
  process.on('message', (command: Command) => {
    actions[command]();
    report({ done: command });
  });
  report({ url: server.url, adminUrl: server.adminUrl });
}

/** Says of each request for how many events it waits now. */
function tellOfKeeping(store: EventStore): EventStore {
  return {
    keep: (events) => {
      const keeping = store.keep(events);
      report({ keeping: events.length });
      return keeping;
    },
    close: () => store.close(),
  };
}

function throwLater(): never {
  throw new Error('nobody catches this');
}

function report(message: Report): void {
  process.send!(message);
}

await main(JSON.parse(process.argv[2]!) as Parameters<typeof buildSettings>[0]);
