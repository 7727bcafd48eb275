import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, ShortlistError, type ErrorCode } from '../domain/errors.js';
import type { Problem } from './schemas/problem.js';

/** The media type of every answer that is not a success (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json';

/** What went wrong, before it is tied to a request. */
export interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What the clients of a listener may see of our own errors. */
export interface Disclosure {
  /** Errors of other codes are shown as INTERNAL, what the framework refuses as INVALID_REQUEST. */
  readonly codes: readonly ErrorCode[];
  /** Whether the messages of errors from 500 are shown too: to the people who run this, not to the public. */
  readonly faults: boolean;
}

/**
 * Translates anything thrown into a code and a detail that may be shown. What is not an error of ours is INTERNAL, without a word of what it was.
 * @param route.bodyLimit bytes, of the route that was asked
 */
export function toFailure(
  error: unknown,
  disclosure: Disclosure,
  route?: { readonly bodyLimit: number },
): Failure {
  if (error instanceof ShortlistError && disclosure.codes.includes(error.code)) {
    const tells = disclosure.faults || error.status < 500 || error.code === 'NOT_READY';
    return { code: error.code, detail: tells ? error.message : `${error.title}. ${TRY_AGAIN}` };
  }
  if (findFrameworkStatus(error) === undefined)
    return { code: 'INTERNAL', detail: `${ERRORS.INTERNAL.title}. ${TRY_AGAIN}` };
  const code = codeOf(error);
  const isTooLarge = code === 'PAYLOAD_TOO_LARGE' && route !== undefined;
  const message = isTooLarge ? describeBodyLimit(route.bodyLimit) : (error as Error).message;
  const detail = message.slice(0, LONGEST_DETAIL);
  return { code: disclosure.codes.includes(code) ? code : 'INVALID_REQUEST', detail };
}

/** What a client is told whose body is larger than a route takes, in bytes. */
export function describeBodyLimit(bytes: number): string {
  return `The request body is larger than ${bytes} bytes, the limit of this route.`;
}

/** The code of anything thrown, whether or not a client may see it. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof ShortlistError) return error.code;
  const status = findFrameworkStatus(error);
  if (status === undefined) return 'INTERNAL';
  return CODE_OF_STATUS.get(status) ?? 'INVALID_REQUEST';
}

/** The body of a problem answer (RFC 9457). `instance` is the path that was asked for, empty where none could be read. */
export function buildProblem(failure: Failure, request: { id: string; path: string }): Problem {
  const { status, title } = ERRORS[failure.code];
  return {
    type: `urn:shortlist:error:${failure.code}`,
    title,
    status,
    code: failure.code,
    detail: failure.detail,
    instance: request.path,
    requestId: request.id,
  };
}

/** Answers with a problem. Never cached; 503 says when to come back. */
export function sendProblem(reply: FastifyReply, failure: Failure): FastifyReply {
  const { status, headers, body } = describeProblem(failure, reply.request);
  return reply.code(status).headers(headers).send(body);
}

/** The answer to a request that came to nothing, as it goes over the connection. */
export function describeProblem(
  failure: Failure,
  { id, raw }: Pick<FastifyRequest, 'id' | 'raw'>,
): { status: number; headers: Readonly<Record<string, string>>; body: string } {
  const problem = buildProblem(failure, { id, path: findPath(raw.url!) });
  const body = JSON.stringify(problem);
  const headers = {
    ...(problem.status === 503 && { 'retry-after': '1' }),
    'x-request-id': id,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(body)),
  };
  return { status: problem.status, headers, body };
}

const TRY_AGAIN = 'Try again; when you report it, quote the request id.';
const LONGEST_PATH = 512;
const LONGEST_DETAIL = 2000;

const CODE_OF_STATUS = new Map<number, ErrorCode>([
  [404, 'ROUTE_NOT_FOUND'],
  [413, 'PAYLOAD_TOO_LARGE'],
  [414, 'URI_TOO_LONG'],
  [415, 'UNSUPPORTED_MEDIA_TYPE'],
]);

/** The 4xx status of an error that the framework raised over the request; undefined for all other errors. */
function findFrameworkStatus(error: unknown): number | undefined {
  const { code, statusCode } = (error ?? {}) as { code?: unknown; statusCode?: unknown };
  if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number')
    return undefined;
  return statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function findPath(url: string): string {
  const [path] = url.split('?', 1);
  return path!.slice(0, LONGEST_PATH);
}
