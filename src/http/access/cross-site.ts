import type { FastifyRequest } from 'fastify';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ListenerName } from './require-access.js';

/** Checks which site a request comes from. @throws ShortlistError CROSS_SITE */
export type SiteCheck = (request: Pick<FastifyRequest, 'method' | 'headers' | 'routeOptions'>) => void;

/**
 * Creates the check of a listener: what a page of another origin may not ask there, whether or not it may read the answer. Browsers send
 * `Origin` with whatever may change something, and most `Sec-Fetch-Site` with everything; other clients send neither.
 *
 * Such pages may ask the public listener by methods that change nothing, and those of `cors.origins` by every one; `*` there is for reading
 * only. A POST that only reads is no such method: no page may send a body here that the operator did not name. They may ask the admin
 * listener nothing: `cors.origins` is not about it. A link may lead to a route of it that is a page.
 */
export function createCrossSiteCheck(listener: ListenerName, { origins }: Settings['cors']): SiteCheck {
  return listener === 'admin' ? refuseOtherSites : createChangeCheck(origins);
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

function createChangeCheck(origins: readonly string[]): SiteCheck {
  return ({ method, headers }) => {
    if (SAFE_METHODS.has(method)) return;
    const { origin } = headers;
    if (origin !== undefined && origin !== '*' && origins.includes(origin)) return;
    if (isOwnOrigin(headers) && isOwnSite(headers)) return;
    throw new ShortlistError(
      'CROSS_SITE',
      'A page of another origin sent this; such pages may read here by GET, and nothing else.',
    );
  };
}

function refuseOtherSites(request: Parameters<SiteCheck>[0]): void {
  const { headers } = request;
  if (isOwnOrigin(headers) && (isOwnSite(headers) || isVisit(request))) return;
  throw new ShortlistError(
    'CROSS_SITE',
    'A page of another origin sent this; the admin listener answers programs and its own pages.',
  );
}

/** Whether somebody goes to a page: it takes the place of the one with the link, which cannot read it. */
function isVisit({ method, headers, routeOptions }: Parameters<SiteCheck>[0]): boolean {
  const isNavigation = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  return routeOptions.config.isPage === true && method === 'GET' && isNavigation;
}

/** What browsers say of requests that a page of this server made, or a person. */
const OWN_SITES = new Set(['same-origin', 'none']);

function isOwnSite({ 'sec-fetch-site': site }: FastifyRequest['headers']): boolean {
  return site === undefined || OWN_SITES.has(site);
}

/** TLS may end in front of this process, so the scheme is not compared. `null` is the origin of nobody. */
function isOwnOrigin({ origin, host = '' }: FastifyRequest['headers']): boolean {
  if (origin === undefined) return true;
  const [, authority] = /^https?:\/\/(.+)$/.exec(origin) ?? [];
  return authority !== undefined && authority === host.toLowerCase();
}
