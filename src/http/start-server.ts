import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { isExposed, type ListenerName } from './access/require-access.js';
import type { AdminParts, AppParts, ServerParts } from './app-parts.js';
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
   * `shutdown.drainDelayMs` the listeners close, what is under way is answered, and the bundle is closed.
   */
  stop(): Promise<void>;
}

/**
 * Opens both listeners. There may still be no bundle: `/ready` then answers 503.
 * @throws ShortlistError INVALID_CONFIG when an address cannot be bound; no listener stays open then, and the parts stay with the caller
 */
export async function startServer(parts: Omit<ServerParts, 'isDraining'>): Promise<RunningServer> {
  const drain = createDrain(parts);
  const withDrain = { ...parts, isDraining: drain.isDraining };
  const app = buildApp(withDrain);
  const admin = buildAdminApp(withDrain);
  const closeAll = async (): Promise<void> => {
    await close(app);
    await close(admin);
  };
  try {
    const url = await listenPublicly(app, parts.settings);
    const adminUrl = await listenForAdmins(admin, parts.settings);
    return { url, adminUrl, stop: () => drain.stop(closeAll) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** As `startServer` does, without the admin listener: where several processes serve, their supervisor has it. */
export async function startPublicServer(
  parts: Omit<AppParts, 'isDraining'>,
): Promise<Pick<RunningServer, 'url' | 'stop'>> {
  const drain = createDrain(parts);
  const app = buildApp({ ...parts, isDraining: drain.isDraining });
  const url = await listenPublicly(app, parts.settings).catch((error: unknown) => closeAndThrow(app, error));
  return { url, stop: () => drain.stop(() => close(app)) };
}

/** The admin listener alone. Throws as `startServer` does. */
export async function startAdminServer(parts: AdminParts): Promise<Pick<RunningServer, 'adminUrl' | 'stop'>> {
  const admin = buildAdminApp(parts);
  const adminUrl = await listenForAdmins(admin, parts.settings).catch((error: unknown) =>
    closeAndThrow(admin, error),
  );
  return { adminUrl, stop: () => close(admin) };
}

async function closeAndThrow(app: HttpApp, error: unknown): Promise<never> {
  await close(app);
  throw error;
}

function createDrain({
  settings,
  logger,
  bundleAdmin,
  afterAnswer,
  events,
  forgotten,
  overrides,
  tracing,
  watch,
}: AppParts): {
  isDraining: () => boolean;
  stop: (closeListeners: () => Promise<void>) => Promise<void>;
} {
  const { drainDelayMs } = settings.shutdown;
  let draining = false;
  return {
    isDraining: () => draining,
    stop: async (closeListeners) => {
      draining = true;
      watch?.stop();
      logger.info({ drainDelayMs }, 'draining');
      await wait(drainDelayMs);
      await closeListeners();
      await afterAnswer.settle();
      await bundleAdmin.close();
      await Promise.all([afterAnswer.close(), events?.close(), tracing?.close()]);
      forgotten.close();
      overrides.close();
      logger.info('stopped');
    },
  };
}

function listenPublicly(app: HttpApp, settings: Settings): Promise<string> {
  warnOfExposure('public', app, settings);
  const { host, port } = settings.server;
  return listen(app, { host, port, name: 'public', prefix: '' });
}

async function listenForAdmins(admin: HttpApp, settings: Settings): Promise<string> {
  warnOfExposure('admin', admin, settings);
  const { adminHost: host, adminPort: port } = settings.server;
  const url = await listen(admin, { host, port, name: 'admin', prefix: 'ADMIN_' });
  if (settings.explorer.enabled) admin.log.info(`explorer at ${url}/explorer`);
  return url;
}

function warnOfExposure(listener: ListenerName, app: HttpApp, settings: Settings): void {
  if (isExposed(listener, settings))
    app.log.warn({ listener }, 'everybody who reaches this listener is answered');
}

interface Listener {
  readonly host: string;
  readonly port: number;
  readonly name: ListenerName;
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

function adviseOn(error: unknown, { port, prefix }: Listener): string {
  const { code = '' } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `Stop what listens there (\`ss -ltnp 'sport = :${port}'\` or \`lsof -i :${port}\` names it), or set ${prefix}PORT.`;
  if (code === 'EACCES')
    return `This user may not listen on port ${port}: set ${prefix}PORT to one from 1024 on, or give the process the right (CAP_NET_BIND_SERVICE).`;
  return `Set ${prefix}HOST to an address of this machine: 127.0.0.1 for itself only, 0.0.0.0 for every network.`;
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
