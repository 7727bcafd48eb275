import { ShortlistUnreachable } from './shortlist-unreachable.js';

/** The time that a call has, over all of its attempts. */
export interface Deadline {
  /** Aborted when time runs out or the caller gives up; its reason is what the call then throws. */
  readonly signal: AbortSignal;
  leftMs(): number;
  /** Rejects with the signal's reason when that comes first. */
  wait(milliseconds: number): Promise<void>;
  /** Lets go of the timer and of the caller's signal. */
  end(): void;
}

/** Starts the clock of a call. `AbortSignal.timeout` and `any` are not used: Node may collect what they make before it fires. */
export function startDeadline(timeoutMs: number, giveUp?: AbortSignal): Deadline {
  const endsAt = performance.now() + timeoutMs;
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new ShortlistUnreachable('timeout', `No answer within ${timeoutMs} ms.`));
  }, timeoutMs);
  const pass = (): void => controller.abort(giveUp?.reason);
  if (giveUp?.aborted === true) pass();
  giveUp?.addEventListener('abort', pass);
  return {
    signal: controller.signal,
    leftMs: () => endsAt - performance.now(),
    wait: (milliseconds) => waitUnless(controller.signal, milliseconds),
    end: () => {
      clearTimeout(timer);
      giveUp?.removeEventListener('abort', pass);
    },
  };
}

function waitUnless(signal: AbortSignal, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      // Whatever the caller gave up with is what the call throws, as fetch does.
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', stop, { once: true });
  });
}
