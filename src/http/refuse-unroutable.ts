import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { HttpApp } from './create-http-app.js';
import { routeNotFound } from './route-not-found.js';

/** Throws what keeps a request from its route. */
export type Refusal = (request: FastifyRequest, reply: FastifyReply) => void;

/** Refuses what nobody can answer: too many headers, a target that is too long, hosts that are missing or named twice. */
export function createMalformedRefusal({ maxUrlLength, maxHeaderCount }: Settings['server']): Refusal {
  return ({ raw }) => {
    const { length } = raw.url!;
    if (raw.rawHeaders.length / 2 > maxHeaderCount) {
      throw new ShortlistError('HEADERS_TOO_LARGE', `There are more than ${maxHeaderCount} headers.`);
    }
    if (length > maxUrlLength) {
      throw new ShortlistError(
        'URI_TOO_LONG',
        `Path and query have ${length} characters, allowed are ${maxUrlLength}.`,
      );
    }
    const hosts = countHosts(raw.rawHeaders);
    if (hosts === 0 && raw.httpVersion === '1.1') {
      throw new ShortlistError('INVALID_REQUEST', 'The header `Host` is missing; HTTP/1.1 requires it.');
    }
    if (hosts > 1)
      throw new ShortlistError('INVALID_REQUEST', `The header \`Host\` is there ${hosts} times.`);
  };
}

/**
 * Refuses what no route answers: an unknown path, a method that the path does not have. It runs before a body is read, so that a wrong path
 * or method is named, whatever the body.
 */
export function createUnmatchedRefusal(app: HttpApp): Refusal {
  return (request, reply) => {
    if (request.is404 || request.method === 'OPTIONS') refuseUnmatched(app, request, reply);
  };
}

/** Node keeps the first of several. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}

function refuseUnmatched(app: HttpApp, { method, url }: FastifyRequest, reply: FastifyReply): never {
  // OPTIONS has a route for every path, that of preflights, where there is one at all.
  const methods = app.supportedMethods.filter((other) => other !== 'OPTIONS');
  // `OPTIONS *` is about no path.
  const allowed =
    url === '*' ? [] : methods.filter((other) => app.findRoute({ method: other, url }) !== null);
  if (allowed.length === 0) throw routeNotFound({ method, url });
  reply.header('allow', allowed.join(', '));
  throw new ShortlistError(
    'METHOD_NOT_ALLOWED',
    `${method} is not answered here, only ${allowed.join(', ')}.`,
  );
}
