/** The properties of an error code. */
export interface ErrorClass {
  /** The HTTP status that it has when it reaches a client. */
  readonly status: number;
  readonly title: string;
  /** Who can cure it: the client that asks, something that Shortlist depends on, or the person who runs or trains. */
  readonly kind: 'request' | 'dependency' | 'operator';
  /** Whether answers of the public listener may carry it; others reach its clients as INTERNAL. */
  readonly public?: true;
  /** A stage of the pipeline falls back on it, and the answer says so. */
  readonly stageFallback?: true;
  /** The pipeline as a whole falls back on it: the answer is what most people chose, and says so. */
  readonly slateFallback?: true;
  /** There was no room or no time; nothing is broken. */
  readonly late?: true;
  /** Trying again gives the same: it lies in a bundle or in the settings, not in the moment. */
  readonly final?: true;
}

/**
 * Every error that Shortlist raises on purpose: its stable code, a title, and the HTTP status it has when it reaches a client.
 * Codes never change their meaning; `docs/errors.md` lists them and a test keeps page and catalogue equal.
 */
// prettier-ignore
export const ERRORS = {
  INVALID_REQUEST: { status: 400, kind: 'request', title: 'The request is not valid', public: true },
  INVALID_CURSOR: { status: 400, kind: 'request', title: 'The cursor is not of this request', public: true },
  UNAUTHENTICATED: { status: 401, kind: 'request', title: 'The request needs credentials', public: true },
  FORBIDDEN: { status: 403, kind: 'request', title: 'These credentials do not allow it', public: true },
  HOST_NOT_ALLOWED: { status: 403, kind: 'request', title: 'The server is not asked under this host', public: true },
  CROSS_SITE: { status: 403, kind: 'request', title: 'Pages of other origins may not ask this', public: true },
  UNKNOWN_SCENARIO: { status: 400, kind: 'request', title: 'No such scenario', public: true },
  UNKNOWN_ATTRIBUTE: { status: 400, kind: 'request', title: 'No such attribute to filter on, or to show', public: true },
  UNKNOWN_CONTEXT: { status: 400, kind: 'request', title: 'No such field of the request context', public: true },
  ITEM_NOT_FOUND: { status: 404, kind: 'request', title: 'No such item', public: true },
  UNKNOWN_VIEW: { status: 404, kind: 'request', title: 'No such feature view' },
  VIEW_NOT_ONLINE: { status: 409, kind: 'request', title: 'This feature view is not served online' },
  ROUTE_NOT_FOUND: { status: 404, kind: 'request', title: 'No such route', public: true },
  METHOD_NOT_ALLOWED: { status: 405, kind: 'request', title: 'This route has other methods', public: true },
  OVERRIDES_CHANGED: { status: 412, kind: 'request', title: 'The overrides were changed meanwhile' },
  REQUEST_TIMEOUT: { status: 408, kind: 'request', title: 'The request took too long to arrive', public: true },
  PAYLOAD_TOO_LARGE: { status: 413, kind: 'request', title: 'The request body is too large', public: true },
  URI_TOO_LONG: { status: 414, kind: 'request', title: 'The request target is too long', public: true },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, kind: 'request', title: 'This media type is not read here', public: true },
  RATE_LIMITED: { status: 429, kind: 'request', title: 'Too many requests', public: true },
  HEADERS_TOO_LARGE: { status: 431, kind: 'request', title: 'The request headers are too large', public: true },
  KEYS_UNAVAILABLE: { status: 503, kind: 'request', title: 'The keys that tokens are checked with cannot be had', public: true },
  NOT_READY: { status: 503, kind: 'request', title: 'Not ready to serve', public: true },
  INTERNAL: { status: 500, kind: 'request', title: 'Something went wrong on our side', public: true },
  SOURCE_FAILED: { status: 503, kind: 'dependency', title: 'A candidate source failed', public: true, stageFallback: true, slateFallback: true },
  VECTOR_ENGINE_FAILED: { status: 503, kind: 'dependency', title: 'The vector engine failed', stageFallback: true },
  FEATURES_FAILED: { status: 503, kind: 'dependency', title: 'The feature store failed', stageFallback: true },
  HISTORY_FAILED: { status: 503, kind: 'dependency', title: 'What users did lately cannot be read', stageFallback: true },
  FEATURES_NOT_LOADED: { status: 503, kind: 'dependency', title: 'The feature store lacks rows of a view', stageFallback: true },
  RANKER_FAILED: { status: 503, kind: 'dependency', title: 'The ranker failed', public: true, stageFallback: true },
  RANKER_TIMEOUT: { status: 503, kind: 'dependency', title: 'The ranker is too slow', public: true, stageFallback: true },
  DEADLINE_EXCEEDED: { status: 503, kind: 'dependency', title: 'There was no time left for an answer', public: true, slateFallback: true, late: true },
  EVENTS_UNAVAILABLE: { status: 503, kind: 'dependency', title: 'Events cannot be kept now', public: true },
  FORGETTING_FAILED: { status: 503, kind: 'dependency', title: 'Who asked to be forgotten cannot be kept, or told' },
  OVERRIDES_UNAVAILABLE: { status: 503, kind: 'dependency', title: 'The overrides cannot be kept now' },
  OVERLOADED: { status: 503, kind: 'dependency', title: 'More requests than can be answered in time', public: true, late: true },
  TRIAL_FAILED: { status: 503, kind: 'dependency', title: 'The bundle could not be tried' },
  PROCESS_FAILED: { status: 503, kind: 'dependency', title: 'A server process failed' },
  COMPUTE_FAILED: { status: 503, kind: 'dependency', title: 'The computing threads failed', public: true, slateFallback: true },
  RANKER_INVALID_OUTPUT: { status: 503, kind: 'dependency', title: 'The ranker gave scores that are not numbers', public: true, stageFallback: true },
  INVALID_CONFIG: { status: 500, kind: 'operator', title: 'The configuration is not valid', final: true },
  INVALID_DATASET: { status: 500, kind: 'operator', title: 'The dataset is not valid' },
  INVALID_BUNDLE: { status: 500, kind: 'operator', title: 'The bundle is not valid', final: true },
  BUNDLE_NOT_FOUND: { status: 500, kind: 'operator', title: 'No such bundle' },
  REGISTRY_FAILED: { status: 500, kind: 'operator', title: 'The bundle registry cannot be asked' },
  OTHER_DATASET: { status: 409, kind: 'operator', title: 'The bundle is of another dataset', final: true },
  CONFLICT: { status: 409, kind: 'operator', title: 'Another process changed it meanwhile' },
  LOCKED: { status: 503, kind: 'operator', title: 'Another process is at work on it' },
  GATES_FAILED: { status: 500, kind: 'operator', title: 'The bundle does not pass the gates' },
  FEATURES_SKEWED: { status: 500, kind: 'operator', title: 'The ranker read other features than it was trained on' },
  NOT_COMPARABLE: { status: 500, kind: 'operator', title: 'The bundles cannot be compared' },
  DOWNLOAD_FAILED: { status: 500, kind: 'operator', title: 'The download failed' },
  TRAINING_FAILED: { status: 500, kind: 'operator', title: 'Training failed' },
  SYSTEM_FAILED: { status: 500, kind: 'operator', title: 'The operating system refused' },
  LOAD_TEST_FAILED: { status: 500, kind: 'operator', title: 'The load test failed' },
} as const satisfies Record<string, ErrorClass>;

/** A code of the catalogue. */
export type ErrorCode = keyof typeof ERRORS;

/** A property that some codes have and others have not; `ErrorClass` describes each. */
export type ErrorTrait = 'public' | 'stageFallback' | 'slateFallback' | 'late' | 'final';

/** The codes with a trait, in the order of the catalogue. */
export function listCodes(trait: ErrorTrait): ErrorCode[] {
  return (Object.keys(ERRORS) as ErrorCode[]).filter((code) => classOf(code)[trait] === true);
}

/** True for an error of the catalogue whose code has a trait. */
export function hasTrait(error: unknown, trait: ErrorTrait): error is ShortlistError {
  return error instanceof ShortlistError && classOf(error.code)[trait] === true;
}

function classOf(code: ErrorCode): ErrorClass {
  return ERRORS[code];
}

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
