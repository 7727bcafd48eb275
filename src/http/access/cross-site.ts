import type { FastifyRequest } from 'fastify';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** What browsers say of requests that a page of this server made, or a person. */
const OWN_SITES = new Set(['same-origin', 'none']);

/**
 * Creates a check of requests by methods that may change something: pages of other origins may not make them, whether or not they may read
 * the answer. A POST that only reads is one of them: no page may send a body here that the operator did not name.
 * Browsers send `Origin` with each of them, and most `Sec-Fetch-Site`; other clients send neither. Origins of `cors.origins` may; `*` there
 * is for reading only.
 * The check throws ShortlistError CROSS_SITE.
 */
export function createCrossSiteCheck({
  origins,
}: Settings['cors']): (request: Pick<FastifyRequest, 'method' | 'headers'>) => void {
  return ({ method, headers }) => {
    if (SAFE_METHODS.has(method)) return;
    const { origin, host = '' } = headers;
    if (origin !== undefined && origin !== '*' && origins.includes(origin)) return;
    const site = headers['sec-fetch-site'];
    const isForeignOrigin = origin !== undefined && !isOriginOf(origin, host);
    if (!isForeignOrigin && (site === undefined || OWN_SITES.has(site))) return;
    throw new ShortlistError(
      'CROSS_SITE',
      'A page of another origin sent this; such pages may read here by GET, and nothing else.',
    );
  };
}

/** TLS may end in front of this process, so the scheme is not compared. `null` is the origin of nobody. */
function isOriginOf(origin: string, host: string): boolean {
  const [, authority] = /^https?:\/\/(.+)$/.exec(origin) ?? [];
  return authority !== undefined && authority === host.toLowerCase();
}
