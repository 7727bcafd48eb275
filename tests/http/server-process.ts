import { setTimeout as wait } from 'node:timers/promises';
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
export type Report = { url: string; adminUrl: string } | { done: Command };

/** A server over the service in memory as a process of its own: a test of signals needs one. Its log goes to stdout. */
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
  const parts = createServerParts(service, {
    settings: buildSettings(overrides),
    logger: createLogger({ level: 'info', writing: 'async' }),
    metrics: createMetrics({ processMetrics: false }),
  });
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

function throwLater(): never {
  throw new Error('nobody catches this');
}

function report(message: Report): void {
  process.send!(message);
}

await main(JSON.parse(process.argv[2]!) as Parameters<typeof buildSettings>[0]);
