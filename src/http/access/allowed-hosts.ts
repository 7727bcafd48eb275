import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { isLoopback } from '../../config/is-loopback.js';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import { hostOf, type ListenerName } from './require-access.js';

/** Checks under which host a request asks. @throws ShortlistError INVALID_REQUEST when it names none that can be read, HOST_NOT_ALLOWED */
export type HostCheck = (request: Pick<FastifyRequest, 'raw'>) => void;

/**
 * A check of the hosts that requests may name: a web page whose name leads to this machine (DNS rebinding) sends its own name. It is
 * undefined where every name is answered: no name is configured, and others than this machine are meant to ask, or credentials are asked for
 * at the public listener. On loopback the admin listener is checked with credentials too: a browser may hold some.
 */
export function createHostCheck(
  listener: ListenerName,
  settings: Pick<Settings, 'auth' | 'server'>,
): HostCheck | undefined {
  const { allowedHosts } = settings.server;
  const isLocal = isLoopback(hostOf(listener, settings));
  const isGuarded = listener === 'admin' || settings.auth.mode === 'none';
  if (!(isLocal && isGuarded) && allowedHosts.length === 0) return undefined;
  return ({ raw }) => {
    for (const authority of listAuthorities(raw)) {
      const host = readHost(authority);
      if (host === undefined) {
        throw new ShortlistError('INVALID_REQUEST', 'The host that the request names cannot be read.');
      }
      const isAllowed = isLoopback(host) || allowedHosts.includes(host) || isReached(host, raw.socket);
      if (!isAllowed) throw new ShortlistError('HOST_NOT_ALLOWED', REFUSAL);
    }
  };
}

const REFUSAL =
  'This server is not asked under this host. On its own machine it is localhost; other names stand in server.allowedHosts (SHORTLIST_ALLOWED_HOSTS).';

/** What the target in absolute form names, which goes before `Host` (RFC 9112, 3.2.2), and what `Host` names. HTTP/1.0 may name none. */
function listAuthorities({ url = '', headers }: FastifyRequest['raw']): string[] {
  const [, target] = /^https?:\/\/([^/?#]*)/i.exec(url) ?? [];
  return [target, headers.host].filter((authority) => authority !== undefined);
}

const AUTHORITY = /^(?:\[(?<bracketed>[0-9a-f:.]+)\]|(?<plain>[a-z0-9._-]+))(?::\d{0,5})?$/;

/** The host of `host:port`, in lower case, without brackets and without the dot of a whole name. */
function readHost(authority: string): string | undefined {
  const { bracketed, plain } = AUTHORITY.exec(authority.toLowerCase())?.groups ?? {};
  if (bracketed !== undefined) return isIP(bracketed) === 6 ? bracketed : undefined;
  return plain?.replace(/\.$/, '');
}

/** Whether the host is the address that the connection came to, as probes by address say it. No name is. */
function isReached(host: string, { localAddress }: FastifyRequest['raw']['socket']): boolean {
  return isIP(host) !== 0 && host === localAddress?.replace(/^::ffff:/, '');
}
