import { CircuitState, circuitBreaker, CountBreaker, handleWhen } from 'cockatiel';
import { ShortlistError } from '../domain/errors.js';

/** Limits that open a breaker, and the time for which it stays open. */
export interface BreakerOptions {
  /** How many of the latest calls are judged. */
  readonly calls: number;
  /** Share of them that must fail before it opens, 0 to 1. */
  readonly failureShare: number;
  /** How long it stays open before the dependency is tried again. */
  readonly probeAfterMs: number;
}

/** The limits that settings with these names ask for. */
export function breakerOptionsOf(settings: {
  readonly breakerCalls: number;
  readonly breakerFailureShare: number;
  readonly breakerProbeAfterMs: number;
}): BreakerOptions {
  return {
    calls: settings.breakerCalls,
    failureShare: settings.breakerFailureShare,
    probeAfterMs: settings.breakerProbeAfterMs,
  };
}

/** Callbacks of a breaker. */
export interface BreakerHooks {
  /** Asks the dependency for something small; it counts as back when that answers. */
  readonly probe: () => Promise<unknown>;
  /** Called when the dependency counts as gone, and when it counts as back. */
  readonly onChange: (available: boolean) => void;
  /** What a call throws while the breaker is open. */
  readonly refusal: () => Error;
  /** Whether an error of a call is the dependency's; any other is a mistake of ours, and says nothing about it. By default ours with a code are. */
  readonly isFault?: (error: unknown) => boolean;
  /** Whether an answer counts as a failure all the same; it is handed on. By default none does. */
  readonly isFailure?: (answer: unknown) => boolean;
  /** Milliseconds on a clock that nobody sets; `performance.now` by default. */
  readonly now?: () => number;
}

/** Keeps calls from a dependency that fails. */
export interface Breaker {
  /**
   * Runs `call`; while open it does not, and fails at once instead.
   * @throws the refusal while open; what `call` throws
   */
  run<T>(call: () => Promise<T>): Promise<T>;
}

/**
 * A circuit breaker (Nygard, Release It!, 2007) that never makes a caller wait for its probe: with a dependency that hangs,
 * the usual one takes a request per second hostage for the length of a timeout.
 */
export function createBreaker(
  { calls, failureShare, probeAfterMs }: BreakerOptions,
  {
    probe,
    onChange,
    refusal,
    isFault = (error) => error instanceof ShortlistError,
    isFailure = () => false,
    now = () => performance.now(),
  }: BreakerHooks,
): Breaker {
  const policy = circuitBreaker(handleWhen(isFault).orWhenResult(isFailure), {
    // The library's own pause goes by the wall clock, which jumps; it always lets a probe through, and ours says when.
    halfOpenAfter: Number.NEGATIVE_INFINITY,
    breaker: new CountBreaker({ size: calls, threshold: failureShare }),
  });
  let available = true;
  let openedAt = 0;
  policy.onStateChange((state) => {
    const closed = state === CircuitState.Closed;
    if (state === CircuitState.Open) openedAt = now();
    if (state === CircuitState.HalfOpen || closed === available) return; // a probe that failed changes nothing
    available = closed;
    onChange(available);
  });
  return {
    run: async (call) => {
      if (policy.state === CircuitState.Closed) return policy.execute(call);
      if (policy.state === CircuitState.Open && now() - openedAt >= probeAfterMs)
        policy.execute(probe).catch(() => undefined);
      throw refusal();
    },
  };
}
