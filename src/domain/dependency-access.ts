import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel';

/**
 * A kind of dependency: something outside of the process. Log lines, metrics and settings call it `source`.
 */
export type DependencyKind =
  'bundle' | 'dataset' | 'download' | 'issuer' | 'object_storage' | 'redis' | 'vector_engine';

/** Limits on asking dependencies, and on what is worth a warning. */
export interface DependencyPolicy {
  /** Attempts at most, the first one included. */
  readonly attempts: number;
  /** Everything together, waits included. */
  readonly totalMs: number;
  /** Waits are drawn between 0 and this, twice this, four times, … */
  readonly firstWaitMs: number;
  /** … up to this. */
  readonly longestWaitMs: number;
  /** A read of more bytes is `source_large`. */
  readonly maxBytes: number;
  /** A read of a megabyte and more that is slower is `source_slow`. */
  readonly minBytesPerSecond: number;
}

/** One attempt that failed and is followed by another. */
export interface DependencyRetry {
  readonly source: DependencyKind;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Until the next one. */
  readonly waitMs: number;
  readonly error: unknown;
}

/** Size and duration of one read. */
export interface DependencyRead {
  readonly source: DependencyKind;
  /** Which one of its kind: a file, an object, a table. */
  readonly name: string;
  readonly bytes: number;
  readonly rows?: number;
  readonly seconds: number;
}

/** A read beyond a limit: its megabytes, or its megabytes per second. It is logged as it is. */
export interface DependencyExcess {
  readonly event: 'source_slow' | 'source_large';
  readonly source: DependencyKind;
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
}

/** Is told about retries, reads and excesses; it must not throw. */
export interface DependencyObserver {
  retried(retry: DependencyRetry): void;
  read(read: DependencyRead): void;
  exceeded(excess: DependencyExcess): void;
}

/** Options of one call through a `DependencyAccess`. */
export interface RetryOptions {
  /** Whether another attempt may cure an error; by default `isPassing`. */
  readonly isPassing?: ((error: unknown) => boolean) | undefined;
  /** Ends it all at once, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** A shorter time than that of the policy. */
  readonly totalMs?: number | undefined;
}

/** The one way to dependencies. */
export interface DependencyAccess {
  /** Plain data: another thread makes the same access of it. */
  readonly policy: DependencyPolicy;
  /** What another thread has told its own observer. */
  readonly observer: DependencyObserver | undefined;
  /**
   * Runs `attempt` until it succeeds: bounded attempts, exponential waits with full jitter between them, a
   * time limit over all.
   * @throws what the last attempt threw; the reason of the signal; DependencyTimeout when time is over. An
   * attempt that does not heed the signal that it is given is left behind
   */
  retry<T>(
    source: DependencyKind,
    attempt: (signal: AbortSignal) => Promise<T>,
    options?: RetryOptions,
  ): Promise<T>;
  /** Tells what a read took, and what of it is beyond the limits; nothing fails of it. */
  measure(read: DependencyRead): void;
}

/** Time was over before an attempt succeeded; the cause is what the latest one threw. */
export class DependencyTimeout extends Error {}

const DEFAULTS: DependencyPolicy = {
  attempts: 5,
  totalMs: 600_000,
  firstWaitMs: 200,
  longestWaitMs: 10_000,
  maxBytes: Number.POSITIVE_INFINITY,
  minBytesPerSecond: 0,
};

/** Smaller reads are not judged by their rate: what a read costs whatever its size rules them. */
const JUDGED_BYTES = 1_000_000;

/**
 * Makes the access; limits that are left out have their defaults.
 * @param options.observer none by default
 */
export function createDependencyAccess(
  policy: Partial<DependencyPolicy> = {},
  options: { observer?: DependencyObserver | undefined } = {},
): DependencyAccess {
  const whole = { ...DEFAULTS, ...policy };
  const { attempts, totalMs, firstWaitMs, longestWaitMs, maxBytes, minBytesPerSecond } = whole;
  const { observer } = options;
  const waits = new ExponentialBackoff({
    generator: fullJitterGenerator,
    initialDelay: firstWaitMs,
    maxDelay: longestWaitMs,
  });

  /** The library's own loop goes on waiting when its signal is aborted: only its waits are taken. */
  async function persist<T>(
    source: DependencyKind,
    run: (signal: AbortSignal) => Promise<T>,
    { isPassing: isWorthIt = isPassing, signal, failed }: Persistence,
  ): Promise<T> {
    let backoff: IBackoff<unknown> = waits.next();
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        return await run(signal);
      } catch (error) {
        failed(error);
        if (attempt >= attempts || !isWorthIt(error)) throw error;
        observer?.retried({ source, attempt, waitMs: backoff.duration, error });
        await wait(backoff.duration, signal);
        backoff = backoff.next(undefined);
      }
    }
  }

  return {
    policy: whole,
    observer,
    retry: async (source, attempt, { isPassing: isWorthIt, signal, totalMs: shorterMs = totalMs } = {}) => {
      const limitMs = Math.min(shorterMs, totalMs);
      const late = new AbortController();
      let latest: unknown;
      const timer = setTimeout(() => {
        late.abort(new DependencyTimeout(`not done within ${limitMs / 1000} s`, { cause: latest }));
      }, limitMs);
      const either = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
      const work = persist(source, attempt, {
        isPassing: isWorthIt,
        signal: either,
        failed: (error) => (latest = error),
      });
      try {
        return await untilAborted(work, either);
      } finally {
        clearTimeout(timer);
      }
    },
    measure: (read) => {
      observer?.read(read);
      const { source, name, bytes, seconds } = read;
      const tell = (event: DependencyExcess['event'], value: number, limit: number): void =>
        observer?.exceeded({
          event,
          source,
          name,
          value: value / 1e6,
          limit: limit / 1e6,
          unit: event === 'source_slow' ? 'MB/s' : 'MB',
        });
      if (bytes > maxBytes) tell('source_large', bytes, maxBytes);
      if (bytes >= JUDGED_BYTES && bytes / seconds < minBytesPerSecond)
        tell('source_slow', bytes / seconds, minBytesPerSecond);
    },
  };
}

interface Persistence {
  readonly isPassing: RetryOptions['isPassing'];
  readonly signal: AbortSignal;
  readonly failed: (error: unknown) => void;
}

/** Ends with its signal, so that no timer keeps a process that has given up. */
function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', end);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** Rejects with the reason of the signal at once, whatever the work does about it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}

/** Answers of HTTP that another attempt may change. */
export const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** What networks and network file systems say when they are away for a moment; that a file is not there, or not ours, is none of it. */
const PASSING_CODES: ReadonlySet<unknown> = new Set([
  'EAGAIN',
  'EAI_AGAIN',
  'EBUSY',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EIO',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'EPIPE',
  'EREMOTEIO',
  'ESTALE',
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** True for an error of a network or a disk, or one caused by such, that may be over in a moment. */
export function isPassing(error: unknown): boolean {
  return findPassingCode(error) !== undefined;
}

/** The system's code of such an error; undefined for one that does not pass. */
export function findPassingCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, cause } = error as NodeJS.ErrnoException;
  if (PASSING_CODES.has(code)) return code;
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  return [...parts, cause].map(findPassingCode).find((found) => found !== undefined);
}
