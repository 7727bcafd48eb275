import { Pool, type Dispatcher } from 'undici';
import { processClock } from '../domain/process-clock.js';
import { type Alarm, openAlarm } from './alarm.js';
import type { Arrival } from './arrivals.js';
import { createRequestHeaders } from './request-headers.js';

/** Why a request came to nothing: no connection, a connection that broke, or no whole answer in time. */
export type TransportFailure = 'connect' | 'connection' | 'timeout';

/** An answer that arrived whole. */
export interface Answer {
  readonly status: number;
  /** Empty when the answer names none. */
  readonly contentType: string;
  readonly body: string;
}

/** One request from its intended time to its end; milliseconds from the start of the run. */
export interface Outcome {
  readonly arrival: Arrival;
  readonly path: string;
  readonly intendedMs: number;
  /** When the generator got to it: what lies between the two is its own delay. Waiting for a connection comes after. */
  readonly sentMs: number;
  readonly endedMs: number;
  readonly answer?: Answer;
  readonly failure?: { readonly kind: TransportFailure; readonly message: string };
}

/** Options of `generateLoad`. */
export interface LoadOptions {
  /** Gives the path and query of each request. */
  readonly nextPath: () => string;
  /** From the intended time of a request to the end of its answer. */
  readonly timeoutMs: number;
  /** Keep-alive connections at most; requests wait for a free one, and the wait counts. */
  readonly maxConnections: number;
  /** For a target that requires one. */
  readonly apiKey?: string | undefined;
  /** Ends the run early when it says true; what is under way still ends. */
  readonly shouldStop?: () => boolean;
}

/**
 * Sends GET requests at the times of `arrivals`, whatever becomes of those before: an open loop. A slow target therefore does not
 * slow the arrivals down, and the wait of every request is measured from its intended time (Tene, "How not to measure latency").
 * Resolves when each request has ended; every one is told to `onOutcome`, in the order of their ends.
 *
 * @param target origin, with a path in front of every request if it has one
 */
export async function generateLoad(
  target: URL,
  arrivals: Iterator<Arrival, void>,
  options: LoadOptions & { onOutcome: (outcome: Outcome) => void },
): Promise<void> {
  const { timeoutMs, maxConnections, onOutcome } = options;
  const headers = createRequestHeaders(options.apiKey);
  const prefix = target.pathname.replace(/\/$/, '');
  // Its own time-outs are rough and start later than ours.
  const pool = new Pool(target.origin, {
    connections: maxConnections,
    pipelining: 1,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: timeoutMs },
  });
  const alarm = await openAlarm();
  const startedMs = processClock();
  const now = (): number => processClock() - startedMs;
  // Both in the order of intended times, and all with the same patience: the oldest is the next to time out.
  const open = new Set<OpenRequest>();
  const waiting = new Set<OpenRequest>();
  let busy = 0;
  // The pool has a queue too, but taking back what timed out in it costs a connection each.
  const startWaiting = (): void => {
    for (const request of waiting) {
      if (busy === maxConnections) return;
      busy += 1;
      waiting.delete(request);
      pool.dispatch({ path: request.path, method: 'GET', headers }, request.handler);
    }
  };
  const send = (arrival: Arrival): void => {
    const request = createOpenRequest(arrival, `${prefix}${options.nextPath()}`, {
      now,
      onEnd: (outcome) => {
        open.delete(request);
        waiting.delete(request);
        onOutcome(outcome);
      },
      onFree: () => {
        busy -= 1;
        startWaiting();
      },
    });
    open.add(request);
    waiting.add(request);
    startWaiting();
  };
  const reaper = setInterval(() => expireRequests(open, now() - timeoutMs), Math.min(10, timeoutMs / 4));
  try {
    const { shouldStop = () => false } = options;
    await sendOnTime(arrivals, { alarm, startedMs, send, shouldStop });
    while (open.size > 0) await new Promise((resolve) => setTimeout(resolve, END_INTERVAL_MS));
  } finally {
    clearInterval(reaper);
    await alarm.close();
    await pool.destroy();
  }
}

const END_INTERVAL_MS = 5;

/** An alarm wakes up in time, where a timer of Node is late by up to a millisecond; spinning would take a core from the target. */
async function sendOnTime(
  arrivals: Iterator<Arrival, void>,
  options: { alarm: Alarm; startedMs: number; send: (arrival: Arrival) => void; shouldStop: () => boolean },
): Promise<void> {
  const { alarm, startedMs, send, shouldStop } = options;
  for (let next = arrivals.next(); next.done !== true && !shouldStop();) {
    const dueMs = startedMs + 1000 * next.value.second;
    const now = processClock();
    if (dueMs <= now) {
      send(next.value);
      next = arrivals.next();
    } else {
      const sleepMs = Math.min(LONGEST_SLEEP_MS, Math.max(SHORTEST_SLEEP_MS, dueMs - now));
      await alarm.sleepUntil(now + sleepMs);
    }
  }
}

/** What is due in between is sent together: thousands of arrivals per second must not cost a wake-up each. */
const SHORTEST_SLEEP_MS = 0.4;

/** A run that is told to stop should not wait for a far arrival. */
const LONGEST_SLEEP_MS = 100;

interface OpenRequest {
  readonly path: string;
  readonly intendedMs: number;
  readonly handler: Dispatcher.DispatchHandler;
  expire(): void;
}

function expireRequests(open: ReadonlySet<OpenRequest>, intendedBeforeMs: number): void {
  for (const request of open) {
    if (request.intendedMs > intendedBeforeMs) return;
    request.expire();
  }
}

function createOpenRequest(
  arrival: Arrival,
  path: string,
  options: { now: () => number; onEnd: (outcome: Outcome) => void; onFree: () => void },
): OpenRequest {
  const { now, onEnd, onFree } = options;
  const intendedMs = arrival.second * 1000;
  const sentMs = now();
  const chunks: Buffer[] = [];
  let status = 0;
  let contentType = '';
  let controller: Dispatcher.DispatchController | undefined;
  let ended = false;
  const end = (what: Pick<Outcome, 'answer' | 'failure'>): void => {
    if (ended) return;
    ended = true;
    onEnd({ arrival, path, intendedMs, sentMs, endedMs: now(), ...what });
  };
  return {
    path,
    intendedMs,
    expire: () => {
      end({ failure: { kind: 'timeout', message: 'no whole answer in time' } });
      controller?.abort(new Error('timed out'));
    },
    handler: {
      onRequestStart: (started) => {
        controller = started;
        // It timed out while the connection was being made.
        if (ended) started.abort(new Error('timed out'));
      },
      onResponseStart: (_, code, headers) => {
        status = code;
        contentType = String(headers['content-type'] ?? '');
      },
      onResponseData: (_, chunk) => void chunks.push(chunk),
      onResponseEnd: () => {
        end({ answer: { status, contentType, body: Buffer.concat(chunks).toString() } });
        onFree();
      },
      onResponseError: (_, error) => {
        const kind = controller === undefined ? 'connect' : 'connection';
        end({ failure: { kind, message: describe(error) } });
        onFree();
      },
    },
  };
}

/** Where a name has several addresses, Node's error has no message of its own. */
function describe(error: Error & { code?: string }): string {
  return error.message || String(error.code);
}
