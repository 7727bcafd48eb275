import { setTimeout as wait } from 'node:timers/promises';
import type { Pause } from '../pipeline/collect-problems.js';

/** Of the time that the work before took. */
const REST_SHARE = 2;

/**
 * Rests between the pieces of a work that others should hardly notice: each time twice as long as the piece before took. On a
 * busy machine pieces take longer, and so do the rests.
 */
export function createRests(): Pause {
  let began = performance.now();
  return async () => {
    await wait(REST_SHARE * (performance.now() - began));
    began = performance.now();
  };
}
