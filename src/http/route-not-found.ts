import { ShortlistError } from '../domain/errors.js';

/** Says that no route has this method and path. */
export function routeNotFound({ method, url }: { method: string; url: string }): ShortlistError {
  return new ShortlistError('ROUTE_NOT_FOUND', `There is no ${method} ${url.slice(0, LONGEST_SHOWN)}.`);
}

const LONGEST_SHOWN = 200;
