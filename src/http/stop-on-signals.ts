import closeWithGrace from 'close-with-grace';
import { createLogger, flushLogger } from '../observability/create-logger.js';
import type { AppParts } from './app-parts.js';
import { endBusyProcess } from './end-busy-process.js';
import { findRequestId } from './request-context.js';
import type { RunningServer } from './start-server.js';

// A handler in JavaScript for a native crash never runs: the process would hang in it instead of dying. SIGUSR2 and the end of
// the event loop are not ours to read as a wish to stop.
const NOT_OURS: closeWithGrace.AllEvents[] = [
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGUSR2',
  'beforeExit',
];

/** What people and init systems stop a process with. */
export const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Ends the process when it is asked to or has to: SIGTERM, SIGINT, SIGHUP and SIGQUIT stop the server and exit with 0; an uncaught
 * error is logged with the id of the request that set it going, stops the server and exits with 1. A second signal, or requests that do not finish within
 * `shutdown.timeoutMs` after the drain, exit with 1 at once. A thread that hangs inside of a model makes of any of these a SIGKILL.
 */
export function stopOnSignals(
  server: Pick<RunningServer, 'stop'>,
  parts: Pick<AppParts, 'logger' | 'settings'>,
): void {
  stopGracefully(server, { ...parts, skip: NOT_OURS });
}

/**
 * The same for a process whose supervisor says when it is to stop: no signal is read as a second one, since a terminal or an init
 * system may send the same to all processes. SIGTERM is as good as being told; other signals are left to the supervisor.
 * @returns stops the server and ends the process; calls after the first do nothing
 */
export function stopWhenTold(
  server: Pick<RunningServer, 'stop'>,
  parts: Pick<AppParts, 'logger' | 'settings'>,
): () => void {
  const { close } = stopGracefully(server, { ...parts, skip: [...NOT_OURS, ...STOP_SIGNALS] });
  let told = false;
  const stop = (): void => {
    if (told) return;
    told = true;
    close();
  };
  process.on('SIGTERM', stop);
  return stop;
}

function stopGracefully(
  server: Pick<RunningServer, 'stop'>,
  { logger, settings, skip }: Pick<AppParts, 'logger' | 'settings'> & { skip: closeWithGrace.AllEvents[] },
): ReturnType<typeof closeWithGrace> {
  process.on('exit', endBusyProcess);
  const { drainDelayMs, timeoutMs } = settings.shutdown;
  // What is said right before an exit that nothing waits for must be out when the call returns: a write that is still
  // under way off the event loop is lost with the process.
  const { process: place } = logger.bindings() as { process?: string };
  const lastWords = createLogger({ level: settings.logging.level, writing: 'sync', process: place });
  return closeWithGrace(
    { delay: drainDelayMs + timeoutMs, logger: lastWords, skip },
    async ({ signal, err }) => {
      if (err === undefined) logger.info({ signal }, 'asked to stop');
      else logger.fatal({ err, requestId: findRequestId() }, 'uncaught error, stopping');
      await server.stop();
      await flushLogger(logger);
    },
  );
}
