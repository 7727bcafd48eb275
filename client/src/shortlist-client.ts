import createClient from 'openapi-fetch';
import type { components, operations, paths } from './openapi.js';
import { planRetry } from './plan-retry.js';
import { ShortlistProblem, toProblem } from './shortlist-problem.js';
import { ShortlistUnreachable } from './shortlist-unreachable.js';
import { type Deadline, startDeadline } from './start-deadline.js';

export { ShortlistProblem, type ProblemCode } from './shortlist-problem.js';
export { ShortlistUnreachable } from './shortlist-unreachable.js';

type Schemas = components['schemas'];
type QueryOf<Operation extends keyof operations> = NonNullable<operations[Operation]['parameters']['query']>;

export type RecommendationsAnswer = Schemas['RecommendationsAnswer'];
export type SimilarItemsAnswer = Schemas['SimilarItemsAnswer'];
export type PopularAnswer = Schemas['PopularAnswer'];
export type Readiness = Schemas['Readiness'];
export type SlateItem = Schemas['SlateItem'];

/** An API key of the server, or a token of its issuer (a function when tokens expire: it is asked before each attempt). */
export type Credentials =
  | { readonly apiKey?: string | undefined; readonly token?: undefined }
  | { readonly token?: string | (() => string | Promise<string>) | undefined; readonly apiKey?: undefined };

export type ShortlistClientOptions = Credentials & {
  /** Where the server's public listener is, `https://shortlist.example` for one; a path in front of its routes belongs to it. */
  readonly baseUrl: string;
  /** Milliseconds that a call may take over all of its attempts, 2000 unless given. The server is told, and answers simpler in time. */
  readonly timeoutMs?: number;
  /** Times that a 503 with `retry-after` and a failed connection are tried again, 2 unless given; 0 for never. */
  readonly retries?: number;
  /** Used instead of the global `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
};

export interface CallOptions {
  /** Milliseconds that this call may take. */
  readonly timeoutMs?: number;
  /** Gives up: the call throws the signal's reason. */
  readonly signal?: AbortSignal;
}

export type RecommendationsOptions = CallOptions & QueryOf<'getRecommendations'>;
export type SimilarItemsOptions = CallOptions & QueryOf<'getSimilarItems'>;
export type PopularOptions = CallOptions & QueryOf<'getPopular'>;

/** Each method throws `ShortlistProblem` when the server refuses or fails, `ShortlistUnreachable` when there is no answer. */
export interface ShortlistClient {
  /** Items for one user, best first. A user that nobody knows gets a cold start, never an error. */
  recommendations(userId: string, options?: RecommendationsOptions): Promise<RecommendationsAnswer>;
  /** Items that go with one item. An item that the bundle does not have is the problem `ITEM_NOT_FOUND`. */
  similarItems(itemId: string, options?: SimilarItemsOptions): Promise<SimilarItemsAnswer>;
  /** What most people chose. */
  popular(options?: PopularOptions): Promise<PopularAnswer>;
  /** Whether the server welcomes requests now: asked once, the problem `NOT_READY` when not. */
  ready(options?: CallOptions): Promise<Readiness>;
}

const DEFAULT_TIMEOUT_MS = 2000;
const DEFAULT_RETRIES = 2;

/** A client of one server. Throws a TypeError when `baseUrl` is no address. */
export function createShortlistClient(options: ShortlistClientOptions): ShortlistClient {
  const { baseUrl, fetch } = options;
  // Throws where it is made what every call would fail with.
  void new Request(baseUrl);
  const http = createClient<paths>({ baseUrl, ...(fetch !== undefined && { fetch }) });
  return {
    recommendations: (userId, given = {}) => {
      const { call, query } = split(given);
      return ask(options, call, ({ header, ...init }) =>
        http.GET('/recommendations/{userId}', { ...init, params: { path: { userId }, query, header } }),
      );
    },
    similarItems: (itemId, given = {}) => {
      const { call, query } = split(given);
      return ask(options, call, ({ header, ...init }) =>
        http.GET('/items/{itemId}/similar', { ...init, params: { path: { itemId }, query, header } }),
      );
    },
    popular: (given = {}) => {
      const { call, query } = split(given);
      return ask(options, call, ({ header, ...init }) =>
        http.GET('/popular', { ...init, params: { query, header } }),
      );
    },
    ready: (call = {}) =>
      ask({ ...options, retries: 0 }, call, ({ signal, headers }) => http.GET('/ready', { signal, headers })),
  };
}

function split<Options extends CallOptions>(given: Options) {
  const { timeoutMs, signal, ...query } = given;
  const call: CallOptions = {
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(signal !== undefined && { signal }),
  };
  return { call, query };
}

/** What is sent besides path and query. */
interface Sent {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
  readonly header: { 'x-request-timeout-ms': string };
}

type Send<Answer> = (sent: Sent) => Promise<{ data?: Answer; error?: unknown; response: Response }>;

/** Sends until there is an answer, a failure that no retry cures, or neither time nor retries are left. */
function ask<Answer>(
  options: ShortlistClientOptions,
  call: CallOptions,
  send: Send<Answer>,
): Promise<Answer> {
  const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = startDeadline(timeoutMs, call.signal);
  return askWithin(deadline, options, send).finally(() => deadline.end());
}

async function askWithin<Answer>(
  deadline: Deadline,
  options: ShortlistClientOptions,
  send: Send<Answer>,
): Promise<Answer> {
  const { retries = DEFAULT_RETRIES } = options;
  for (let retry = 0; ; retry++) {
    try {
      return await sendOnce(send, await describeSent(options, deadline));
    } catch (failure) {
      const waitMs = retry < retries ? planRetry(failure, retry, Math.random) : undefined;
      if (waitMs === undefined || waitMs >= deadline.leftMs()) throw failure;
      await deadline.wait(waitMs);
    }
  }
}

/** The server's share of the time that is left: its simpler answer, given when that is over, still has to arrive. */
const SERVER_SHARE = 0.8;
const LONGEST_DEADLINE_MS = 999_999;

async function describeSent({ apiKey, token }: Credentials, deadline: Deadline): Promise<Sent> {
  const current = typeof token === 'function' ? await token() : token;
  const serverMs = Math.floor(deadline.leftMs() * SERVER_SHARE);
  return {
    signal: deadline.signal,
    headers: {
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
      ...(current !== undefined && { authorization: `Bearer ${current}` }),
    },
    header: { 'x-request-timeout-ms': String(Math.min(LONGEST_DEADLINE_MS, Math.max(1, serverMs))) },
  };
}

async function sendOnce<Answer>(send: Send<Answer>, sent: Sent): Promise<Answer> {
  const { data, error, response } = await send(sent).catch((failure: unknown) => {
    throw sent.signal.aborted ? sent.signal.reason : describeFailure(failure);
  });
  if (data === undefined) throw toProblem(error, response);
  return data;
}

/** What `fetch` throws when there is no answer is a TypeError; what it throws over a success that is not JSON, a SyntaxError. */
function describeFailure(failure: unknown): unknown {
  if (failure instanceof SyntaxError) {
    const detail = 'The answer is not JSON. Is baseUrl that of the public listener?';
    return new ShortlistProblem({ code: 'UNEXPECTED_ANSWER', status: 200, detail });
  }
  if (!(failure instanceof TypeError)) return failure;
  return new ShortlistUnreachable('connection', 'The connection failed.', { cause: failure });
}
