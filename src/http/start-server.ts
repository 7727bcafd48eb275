import { setTimeout as wait } from 'node:timers/promises';
import { ShortlistError } from '../domain/errors.js';
import type { AppParts } from './app-parts.js';
import { buildAdminApp } from './build-admin-app.js';
import { buildApp } from './build-app.js';
import type { HttpApp } from './create-http-app.js';

/** Both listeners, open. */
export interface RunningServer {
  /** Origin of the public listener, `http://host:port`. */
  readonly url: string;
  /** Origin of the admin listener. */
  readonly adminUrl: string;
  /**
   * Stops without losing a request: `/ready` answers 503 and connections end with their next answer from now on; after
   * `shutdown.drainDelayMs` the listeners close, what is under way is answered, and the service is closed.
   */
  stop(): Promise<void>;
}

/**
 * Opens both listeners. The service may still have no bundle: `/ready` then answers 503.
 * @throws ShortlistError INVALID_CONFIG when an address cannot be bound; nothing stays open then
 */
export async function startServer(parts: Omit<AppParts, 'isDraining'>): Promise<RunningServer> {
  let draining = false;
  const withDrain = { ...parts, isDraining: () => draining };
  const { server, shutdown } = parts.settings;
  const app = buildApp(withDrain);
  const admin = buildAdminApp(withDrain);
  const closeAll = async (): Promise<void> => {
    await close(app);
    await close(admin);
  };
  try {
    const url = await listen(app, { host: server.host, port: server.port, name: 'public', prefix: '' });
    const adminUrl = await listen(admin, {
      host: server.adminHost,
      port: server.adminPort,
      name: 'admin',
      prefix: 'ADMIN_',
    });
    const stop = async (): Promise<void> => {
      draining = true;
      parts.logger.info({ drainDelayMs: shutdown.drainDelayMs }, 'draining');
      await wait(shutdown.drainDelayMs);
      await closeAll();
      await parts.service.close();
      await Promise.all([parts.impressions?.close(), parts.tracing?.close()]);
      parts.logger.info('stopped');
    };
    return { url, adminUrl, stop };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** What the variables that move it elsewhere begin with: before HOST and PORT. */
  readonly prefix: string;
}

async function listen(app: HttpApp, listener: Listener): Promise<string> {
  const { host, port, name } = listener;
  await app.ready();
  try {
    return await app.listen({
      host,
      port,
      listenTextResolver: (address) => `${name} listener at ${address}`,
    });
  } catch (error) {
    const what = `The ${name} listener cannot bind ${host}:${port} (${(error as Error).message}).`;
    throw new ShortlistError('INVALID_CONFIG', `${what} ${adviseOn(error, listener)}`, { cause: error });
  }
}

function adviseOn(error: unknown, { prefix }: Listener): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  return ['EADDRINUSE', 'EACCES'].includes(code)
    ? `Stop what listens there, or set ${prefix}PORT.`
    : `Set ${prefix}HOST to an address of this machine: 127.0.0.1 for itself only, 0.0.0.0 for every network.`;
}

const REAP_INTERVAL_MS = 50;

/** Closes the listener and waits for what is under way. A connection that falls idle meanwhile would hold it until its keep-alive ends. */
async function close(app: HttpApp): Promise<void> {
  const reaper = setInterval(() => app.server.closeIdleConnections(), REAP_INTERVAL_MS);
  try {
    await app.close();
  } finally {
    clearInterval(reaper);
  }
}
