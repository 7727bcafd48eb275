import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

const SANE = /^[\x21-\x7e]{1,128}$/;

/** The request's id: the incoming `x-request-id` when it is 1 to 128 visible ASCII characters, else a new UUID. */
export function chooseRequestId(request: { headers: IncomingHttpHeaders }): string {
  const incoming = request.headers['x-request-id'];
  return typeof incoming === 'string' && SANE.test(incoming) ? incoming : randomUUID();
}
