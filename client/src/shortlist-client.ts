import createClient from 'openapi-fetch';
import { createEventId } from './create-event-id.js';
import type { components, operations, paths } from './openapi.js';
import { planRetry } from './plan-retry.js';
import { ShortlistProblem, toProblem } from './shortlist-problem.js';
import { ShortlistUnreachable } from './shortlist-unreachable.js';
import { type Deadline, startDeadline } from './start-deadline.js';

export { ShortlistProblem, type ProblemCode } from './shortlist-problem.js';
export { ShortlistUnreachable } from './shortlist-unreachable.js';

type Schemas = components['schemas'];
/** `timeoutMs` is the client's own: it tells the server what is left of it. */
type QueryOf<Operation extends keyof operations> = Omit<
  NonNullable<operations[Operation]['parameters']['query']>,
  'timeoutMs'
>;

export type RecommendationsAnswer = Schemas['RecommendationsAnswer'];
export type PostRecommendationsAnswer = Schemas['PostRecommendationsAnswer'];
export type SimilarItemsAnswer = Schemas['SimilarItemsAnswer'];
export type PopularAnswer = Schemas['PopularAnswer'];
export type EventsAnswer = Schemas['EventsAnswer'];
export type Readiness = Schemas['Readiness'];
export type SlateItem = Schemas['SlateItem'];
/** For whom, from what, and which items: a user, a session, or neither; what was touched just now; candidates to rank. */
export type RecommendRequest = Omit<
  operations['postRecommendations']['requestBody']['content']['application/json'],
  'timeoutMs'
>;
/** Candidates to rank, and for whom. */
export type RankRequest = Omit<
  operations['rankItems']['requestBody']['content']['application/json'],
  'timeoutMs'
>;
/** What a user or a visitor did with an item. Without an `eventId` the client draws one. */
export type UserEvent =
  operations['postEvents']['requestBody']['content']['application/json']['events'][number];

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

export interface EventsOptions extends CallOptions {
  /** Goes on when the page is left, which browsers do for bodies of at most 64 KiB. */
  readonly keepalive?: boolean;
}

/** Each method throws `ShortlistProblem` when the server refuses or fails, `ShortlistUnreachable` when there is no answer. */
export interface ShortlistClient {
  /** Items for one user, best first. A user that nobody knows gets a cold start, never an error. */
  recommendations(userId: string, options?: RecommendationsOptions): Promise<RecommendationsAnswer>;
  /** Items for a user, for a visitor or for anybody, or a ranking of the items that `candidates` names. It only reads, and is tried again like the others. */
  recommend(request: RecommendRequest, options?: CallOptions): Promise<PostRecommendationsAnswer>;
  /** A ranking of the items that `candidates` names: `recommend` with candidates, by `POST /rank`. */
  rank(request: RankRequest, options?: CallOptions): Promise<PostRecommendationsAnswer>;
  /** Items that go with one item. An item that the bundle does not have is the problem `ITEM_NOT_FOUND`. */
  similarItems(itemId: string, options?: SimilarItemsOptions): Promise<SimilarItemsAnswer>;
  /** What most people chose. */
  popular(options?: PopularOptions): Promise<PopularAnswer>;
  /**
   * Tells what users did, 1 to 500 events; one that cannot be kept is in `refused`, and takes no other along. What is accepted is durable. Tries
   * again count once: each event has an id.
   */
  events(list: readonly UserEvent[], options?: EventsOptions): Promise<EventsAnswer>;
  /** Whether the server welcomes requests now: asked once, the problem `NOT_READY` when not. */
  ready(options?: CallOptions): Promise<Readiness>;
}

const DEFAULT_TIMEOUT_MS = 2000;
const DEFAULT_RETRIES = 2;

/** A client of one server. Throws a TypeError when `baseUrl` is no address. */
export function createShortlistClient(options: ShortlistClientOptions): ShortlistClient {
  const { baseUrl, fetch } = options;
  // Throws where it is made what every call would fail with.
  const { url } = new Request(baseUrl);
  const told = { ...options, tellsByField: isPreflightAvoidable(url, options) };
  const http = createClient<paths>({ baseUrl, ...(fetch !== undefined && { fetch }) });
  return {
    recommendations: (userId, given = {}) => {
      const { call, query } = split(given);
      return ask(told, call, ({ timeout, ...init }) =>
        http.GET('/recommendations/{userId}', {
          ...init,
          params: { path: { userId }, query: { ...query, ...timeout.field }, header: timeout.header },
        }),
      );
    },
    recommend: (request, call = {}) =>
      ask(told, call, ({ timeout, ...init }) =>
        http.POST('/recommendations', {
          ...init,
          params: { header: timeout.header },
          body: { ...request, ...timeout.field },
        }),
      ),
    rank: (request, call = {}) =>
      ask(told, call, ({ timeout, ...init }) =>
        http.POST('/rank', {
          ...init,
          params: { header: timeout.header },
          body: { ...request, ...timeout.field },
        }),
      ),
    similarItems: (itemId, given = {}) => {
      const { call, query } = split(given);
      return ask(told, call, ({ timeout, ...init }) =>
        http.GET('/items/{itemId}/similar', {
          ...init,
          params: { path: { itemId }, query: { ...query, ...timeout.field }, header: timeout.header },
        }),
      );
    },
    popular: (given = {}) => {
      const { call, query } = split(given);
      return ask(told, call, ({ timeout, ...init }) =>
        http.GET('/popular', {
          ...init,
          params: { query: { ...query, ...timeout.field }, header: timeout.header },
        }),
      );
    },
    events: (list, { keepalive = false, ...call } = {}) => {
      // Once for all tries.
      const events = list.map((event) => ({ ...event, eventId: event.eventId ?? createEventId() }));
      return ask(told, call, ({ signal, headers }) =>
        http.POST('/events', { signal, headers, keepalive, body: { events } }),
      );
    },
    ready: (call = {}) =>
      ask({ ...told, retries: 0 }, call, ({ signal, headers }) => http.GET('/ready', { signal, headers })),
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

/**
 * A page whose requests go to another origin first has to ask that for permission when a request has a header that pages do not have
 * by themselves. Credentials are such a header already; without them the one of the timeout would be the only one.
 */
function isPreflightAvoidable(url: string, { apiKey, token }: Credentials): boolean {
  // Pages and workers have an origin; Node and other servers have none.
  const { origin } = globalThis as { origin?: string };
  return (
    origin !== undefined && origin !== new URL(url).origin && apiKey === undefined && token === undefined
  );
}

type AskOptions = ShortlistClientOptions & {
  /** Whether the server is told by a field of the request how long the client waits, in place of a header. */
  readonly tellsByField: boolean;
};

/** How the server is told how long the client waits. */
interface Timeout {
  /** Of the query, or of the body. */
  readonly field: { readonly timeoutMs?: number };
  readonly header: { readonly 'x-request-timeout-ms'?: string };
}

/** What is sent besides path and query. */
interface Sent {
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
  readonly timeout: Timeout;
}

/** `data` has the type that the document gives to the answer: what openapi-fetch makes of a union that is open is not that type any more. */
type Send = (sent: Sent) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

/** Sends until there is an answer, a failure that no retry cures, or neither time nor retries are left. */
function ask<Answer>(options: AskOptions, call: CallOptions, send: Send): Promise<Answer> {
  const timeoutMs = call.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = startDeadline(timeoutMs, call.signal);
  return askWithin<Answer>(deadline, options, send).finally(() => deadline.end());
}

async function askWithin<Answer>(deadline: Deadline, options: AskOptions, send: Send): Promise<Answer> {
  const { retries = DEFAULT_RETRIES } = options;
  for (let retry = 0; ; retry++) {
    try {
      return await sendOnce<Answer>(send, await describeSent(options, deadline));
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

async function describeSent({ apiKey, token, tellsByField }: AskOptions, deadline: Deadline): Promise<Sent> {
  const current = typeof token === 'function' ? await token() : token;
  const shareMs = Math.floor(deadline.leftMs() * SERVER_SHARE);
  const timeoutMs = Math.min(LONGEST_DEADLINE_MS, Math.max(1, shareMs));
  return {
    signal: deadline.signal,
    headers: {
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
      ...(current !== undefined && { authorization: `Bearer ${current}` }),
    },
    timeout: tellsByField
      ? { field: { timeoutMs }, header: {} }
      : { field: {}, header: { 'x-request-timeout-ms': String(timeoutMs) } },
  };
}

async function sendOnce<Answer>(send: Send, sent: Sent): Promise<Answer> {
  const { data, error, response } = await send(sent).catch((failure: unknown) => {
    throw sent.signal.aborted ? sent.signal.reason : describeFailure(failure);
  });
  if (data === undefined) throw toProblem(error, response);
  return data as Answer;
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
