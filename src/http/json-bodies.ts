import { isUtf8 } from 'node:buffer';
import type { FastifyInstance } from 'fastify';
import { showValue } from '../config/show-value.js';
import { ShortlistError } from '../domain/errors.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route judges every key of its body: one that could change a prototype elsewhere is a key like others to it. */
    takesAnyKey?: boolean;
  }
}

/**
 * Has the routes of an app read bodies of JSON: UTF-8, not compressed, and without keys that could change a prototype. What is wrong is told as it is.
 */
export function addJsonBodies(
  app: Pick<FastifyInstance, 'getDefaultJsonParser' | 'addContentTypeParser'>,
): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  const parseAnyKey = app.getDefaultJsonParser('ignore', 'ignore');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const { 'content-encoding': encoding = 'identity' } = request.headers;
    if (encoding !== 'identity') {
      const message = `The body is encoded (content-encoding is ${showValue(encoding)}); send it as it is.`;
      return done(new ShortlistError('UNSUPPORTED_MEDIA_TYPE', message));
    }
    // Decoding would write another character for each byte that is none: two ids became one.
    if (!isUtf8(body)) return done(new ShortlistError('INVALID_REQUEST', 'The body is not UTF-8.'));
    const text = body.toString();
    if (request.routeOptions.config.takesAnyKey === true) return parseAnyKey(request, text, done);
    return parse(request, text, (error, parsed) => done(error && describe(error, text), parsed));
  });
}

/** The parser says the same of a text that is no JSON and of one with such a key. */
function describe(error: Error, text: string): Error {
  if (!isJson(text)) return error;
  return new ShortlistError(
    'INVALID_REQUEST',
    'The body has a key `__proto__`, or `constructor` with `prototype` in it: such a body is read nowhere.',
  );
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
