import { setTimeout as wait } from 'node:timers/promises';

/** Far longer than anything takes on a busy machine, and far shorter than the time that a test file has. */
const LIMIT_MS = 60_000;
const PAUSE_MS = 5;

/**
 * Asks until it is answered.
 * @throws Error with the last refusal after a minute
 */
export async function untilAnswered<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`Nothing but refusals for ${LIMIT_MS} ms: ${(error as Error).message}`, {
          cause: error,
        });
      }
      await wait(PAUSE_MS);
    }
  }
}

/**
 * Asks until something is so.
 * @throws Error with what it waited for after a minute; what `isTrue` throws, at once
 */
export async function untilTrue(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`Waited ${LIMIT_MS} ms for nothing: ${what}`);
    await wait(PAUSE_MS);
  }
}
