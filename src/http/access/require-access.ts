import { isLoopback } from '../../config/is-loopback.js';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { requireApiKeys } from './authenticator.js';

/** One of the two listeners, as settings name it. */
export type ListenerName = Settings['auth']['openListeners'][number];

/** The address that a listener binds. */
export function hostOf(listener: ListenerName, { server }: Pick<Settings, 'server'>): string {
  return listener === 'public' ? server.host : server.adminHost;
}

/** Whether a listener answers without credentials to others than this machine. */
export function isExposed(listener: ListenerName, settings: Pick<Settings, 'auth' | 'server'>): boolean {
  return settings.auth.mode === 'none' && !isLoopback(hostOf(listener, settings));
}

/**
 * Refuses settings under which a server would answer people whom nobody meant to be answered: listeners beyond loopback without credentials,
 * and credentials that no request is asked for. `auth.openListeners` says that it is meant.
 * @throws ShortlistError INVALID_CONFIG with every problem, also as `requireApiKeys` does
 */
export function requireAccess(settings: Pick<Settings, 'auth' | 'jwt' | 'server'>): void {
  const keys = requireApiKeys(settings);
  const problems = [...listUnusedCredentials(settings, keys.length), ...listExposures(settings)];
  if (problems.length === 0) return;
  throw new ShortlistError('INVALID_CONFIG', 'The server would answer without credentials:', { problems });
}

const LISTENERS: readonly ListenerName[] = ['public', 'admin'];

const VARIABLES = { public: 'HOST', admin: 'ADMIN_HOST' } as const;

function listUnusedCredentials({ auth, jwt }: Pick<Settings, 'auth' | 'jwt'>, keys: number): string[] {
  const isMeant = LISTENERS.every((listener) => auth.openListeners.includes(listener));
  if (auth.mode !== 'none' || isMeant) return [];
  const given = [
    ...(keys === 0 ? [] : [`${keys} API ${keys === 1 ? 'key' : 'keys'}`]),
    ...(jwt.jwksUrl === '' ? [] : ['jwt.jwksUrl']),
  ];
  if (given.length === 0) return [];
  return [
    `auth.mode is none, but ${given.join(' and ')} would be accepted: no request is asked for one. Say SHORTLIST_AUTH=required, or take them away`,
  ];
}

function listExposures(settings: Pick<Settings, 'auth' | 'server'>): string[] {
  return LISTENERS.filter(
    (listener) => isExposed(listener, settings) && !settings.auth.openListeners.includes(listener),
  ).map((listener) => {
    const host = hostOf(listener, settings);
    return (
      `the ${listener} listener binds ${host}, and auth.mode is none. Say SHORTLIST_AUTH=required; or bind 127.0.0.1 ` +
      `(${VARIABLES[listener]}); or name the listener in auth.openListeners (SHORTLIST_OPEN_LISTENERS=${listener}) to answer everybody who reaches it`
    );
  });
}
