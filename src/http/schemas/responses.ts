import { type TSchema, Type } from 'typebox';
import { ERRORS, type ErrorCode } from '../../domain/errors.js';
import { buildProblem, describeBodyLimit, PROBLEM_TYPE } from '../problem.js';
import { Problem } from './problem.js';
import { referenceTo } from './schema-reference.js';

interface Content {
  readonly description: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly content: Readonly<
    Record<string, { schema: TSchema; examples: Record<string, { value: unknown }> }>
  >;
}

const HEADERS = {
  'x-request-id': { type: 'string', description: 'The incoming one when it was sane, else a new one.' },
};
const RETRY_HEADERS = { ...HEADERS, 'retry-after': { type: 'integer', description: 'Seconds.' } };

/** What answers with items have besides. */
export const SLATE_HEADERS = {
  'x-cache': {
    type: 'string',
    enum: ['hit', 'miss', 'off'],
    description: 'Whether the answer was kept from before.',
  },
};

const ETAG = {
  etag: {
    type: 'string',
    description: 'Names what the answer says, save `requestId` and `slateId`: to be sent in `If-None-Match`.',
  },
};

/** What answers with items that are the same for everybody have besides. */
export const SHARED_SLATE_HEADERS = { ...SLATE_HEADERS, ...ETAG };

/** The answer to a client that has it: its `slateId` goes on naming the list that is shown. */
export const NOT_MODIFIED = {
  type: 'null',
  description: 'The client has the answer, by its `If-None-Match`. There is no body.',
  headers: { ...HEADERS, ...SHARED_SLATE_HEADERS },
} as const;

/** Describes the success of a route: a named schema, examples of it, and headers that not every answer has. */
export function describeSuccess(
  schema: TSchema,
  examples: Readonly<Record<string, unknown>>,
  headers: Content['headers'] = {},
): Content {
  const { description } = schema as { description: string };
  return {
    description,
    headers: { ...HEADERS, ...headers },
    content: { 'application/json': contentOf(schema, examples) },
  };
}

/** Describes the success of a route that answers with text. */
export function describeText(description: string, example: string): Content {
  return {
    description,
    headers: HEADERS,
    content: { 'text/plain': { schema: Type.String(), examples: { text: { value: example } } } },
  };
}

/**
 * Describes, by status, the problems that a route may answer with, one example per code, from an example of each detail and of the path.
 * `default` holds those that no route decides about.
 */
export function describeProblems(details: Details, path: string): Record<string, Content> {
  const entries = Object.entries(details) as [ErrorCode, string][];
  const statuses = entries.map(([code]) => ERRORS[code].status);
  const byStatus = statuses.map((status) => {
    const those = entries.filter(([code]) => ERRORS[code].status === status);
    return [status, describeCodes(those, path)];
  });
  return {
    ...(Object.fromEntries(byStatus) as Record<string, Content>),
    default: describeCodes(Object.entries(LISTENER_PROBLEMS) as [ErrorCode, string][], path),
  };
}

type Details = Readonly<Partial<Record<ErrorCode, string>>>;

/** The problems, with an example of each detail, of every route that recommends. */
export const RECOMMENDING_PROBLEMS = {
  INVALID_REQUEST: 'limit is "0", allowed is an integer from 1 to 100',
  UNKNOWN_ATTRIBUTE: "Cannot filter on 'genre'. Attributes to filter on: genres, year.",
  URI_TOO_LONG: 'Path and query have 30000 characters, allowed are 24576.',
  INTERNAL: 'Something went wrong on our side. Try again; when you report it, quote the request id.',
  NOT_READY: 'No bundle is open yet.',
  SOURCE_FAILED: 'A candidate source failed. Try again; when you report it, quote the request id.',
  RANKER_FAILED: 'The ranker failed. Try again; when you report it, quote the request id.',
  RANKER_TIMEOUT: 'The ranker is too slow. Try again; when you report it, quote the request id.',
  DEADLINE_EXCEEDED:
    'There was no time left for an answer. Try again; when you report it, quote the request id.',
  OVERLOADED: 'More requests wait than can be answered in time. Try again after the seconds of retry-after.',
  COMPUTE_FAILED: 'The computing threads failed. Try again; when you report it, quote the request id.',
  RANKER_INVALID_OUTPUT:
    'The ranker gave scores that are not numbers. Try again; when you report it, quote the request id.',
} as const satisfies Details;

const LISTENER_PROBLEMS: Details = {
  UNAUTHENTICATED: 'Send an API key as `Authorization: Bearer …` or `x-api-key: …`.',
  FORBIDDEN: 'This needs the scope `read`.',
  HOST_NOT_ALLOWED: 'This server is not asked under this host.',
  CROSS_SITE: 'A page of another origin sent this; such pages may read here by GET, and nothing else.',
  RATE_LIMITED: 'More than 600 requests in 60 s. Try again in 12 s.',
  KEYS_UNAVAILABLE: 'The keys that tokens are checked with cannot be had right now. Try again.',
  ROUTE_NOT_FOUND: 'There is no GET /recommend. /docs lists the routes.',
  METHOD_NOT_ALLOWED: 'POST is not answered here, only GET, HEAD.',
  REQUEST_TIMEOUT: 'The request did not arrive whole within the time allowed.',
  PAYLOAD_TOO_LARGE: describeBodyLimit(16_384),
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  HEADERS_TOO_LARGE: 'Request line and headers together are larger than 32768 bytes.',
};

function describeCodes(details: readonly [ErrorCode, string][], path: string): Content {
  const request = { id: '5d1c5b6e-6a0f-4f0c-9f43-3f9b7a6a1f55', path };
  const examples = Object.fromEntries(
    details.map(([code, detail]) => [code, buildProblem({ code, detail }, request)]),
  );
  return {
    description: details.map(([code]) => `${ERRORS[code].title} (\`${code}\`).`).join(' '),
    headers: details.some(([code]) => ERRORS[code].status === 503) ? RETRY_HEADERS : HEADERS,
    content: { [PROBLEM_TYPE]: contentOf(Problem, examples) },
  };
}

function contentOf(schema: TSchema, examples: Readonly<Record<string, unknown>>) {
  const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
  return {
    schema: referenceTo(schema),
    examples: Object.fromEntries(named) as Record<string, { value: unknown }>,
  };
}
