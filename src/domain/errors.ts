/**
 * Every error that Shortlist raises on purpose: its stable code, a title, and the HTTP status it has when it reaches a client.
 * Codes never change their meaning; `docs/errors.md` lists them and a test keeps page and catalogue equal.
 */
export const ERRORS = {
  // requests
  INVALID_REQUEST: { status: 400, title: 'The request is not valid' },
  UNAUTHENTICATED: { status: 401, title: 'The request needs credentials' },
  FORBIDDEN: { status: 403, title: 'These credentials do not allow it' },
  HOST_NOT_ALLOWED: { status: 403, title: 'The server is not asked under this host' },
  CROSS_SITE: { status: 403, title: 'Pages of other origins may change nothing here' },
  UNKNOWN_SCENARIO: { status: 400, title: 'No such scenario' },
  UNKNOWN_ATTRIBUTE: { status: 400, title: 'No such attribute to filter on' },
  UNKNOWN_CONTEXT: { status: 400, title: 'No such field of the request context' },
  ITEM_NOT_FOUND: { status: 404, title: 'No such item' },
  UNKNOWN_VIEW: { status: 404, title: 'No such feature view' },
  VIEW_NOT_ONLINE: { status: 409, title: 'This feature view is not served online' },
  ROUTE_NOT_FOUND: { status: 404, title: 'No such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'This route has other methods' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request took too long to arrive' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The request body is too large' },
  URI_TOO_LONG: { status: 414, title: 'The request target is too long' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'This media type is not read here' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large' },
  NOT_READY: { status: 503, title: 'Not ready to serve' },
  KEYS_UNAVAILABLE: { status: 503, title: 'The keys that tokens are checked with cannot be had' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
  // dependencies: a stage falls back on these, they reach a client only when nothing is left to fall back on
  SOURCE_FAILED: { status: 503, title: 'A candidate source failed' },
  VECTOR_ENGINE_FAILED: { status: 503, title: 'The vector engine failed' },
  FEATURES_FAILED: { status: 503, title: 'The feature store failed' },
  FEATURES_NOT_LOADED: { status: 503, title: 'The feature store lacks rows of a view' },
  RANKER_FAILED: { status: 503, title: 'The ranker failed' },
  RANKER_TIMEOUT: { status: 503, title: 'The ranker is too slow' },
  DEADLINE_EXCEEDED: { status: 503, title: 'There was no time left for an answer' },
  OVERLOADED: { status: 503, title: 'More requests than can be answered in time' },
  TRIAL_FAILED: { status: 503, title: 'The bundle could not be tried' },
  PROCESS_FAILED: { status: 503, title: 'A server process failed' },
  COMPUTE_FAILED: { status: 503, title: 'The computing threads failed' },
  RANKER_INVALID_OUTPUT: { status: 503, title: 'The ranker gave scores that are not numbers' },
  // the person who runs or trains
  INVALID_CONFIG: { status: 500, title: 'The configuration is not valid' },
  INVALID_DATASET: { status: 500, title: 'The dataset is not valid' },
  INVALID_BUNDLE: { status: 500, title: 'The bundle is not valid' },
  BUNDLE_NOT_FOUND: { status: 500, title: 'No such bundle' },
  REGISTRY_FAILED: { status: 500, title: 'The bundle registry cannot be asked' },
  OTHER_DATASET: { status: 409, title: 'The bundle is of another dataset' },
  CONFLICT: { status: 409, title: 'Another process changed it meanwhile' },
  LOCKED: { status: 503, title: 'Another process is at work on it' },
  GATES_FAILED: { status: 500, title: 'The bundle does not pass the gates' },
  FEATURES_SKEWED: { status: 500, title: 'The ranker read other features than it was trained on' },
  NOT_COMPARABLE: { status: 500, title: 'The bundles cannot be compared' },
  DOWNLOAD_FAILED: { status: 500, title: 'The download failed' },
  TRAINING_FAILED: { status: 500, title: 'Training failed' },
  SYSTEM_FAILED: { status: 500, title: 'The operating system refused' },
  LOAD_TEST_FAILED: { status: 500, title: 'The load test failed' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the catalogue. `message` says what is wrong, with the offending value and what to do. */
export class ShortlistError extends Error {
  readonly code: ErrorCode;
  /** Each problem found, when there are several. */
  readonly problems: readonly string[];
  /** The message without the problems. */
  readonly summary: string;

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; problems?: readonly string[] } = {},
  ) {
    const problems = options.problems ?? [];
    super([message, ...problems.map((problem) => `  - ${problem}`)].join('\n'), { cause: options.cause });
    this.name = 'ShortlistError';
    this.summary = message;
    this.code = code;
    this.problems = problems;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get title(): string {
    return ERRORS[this.code].title;
  }
}
