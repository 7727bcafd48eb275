import { setTimeout as wait } from 'node:timers/promises';
import type { Pause } from '../../engine/collect-problems.js';

/** Of the time that the work before took, where others keep a processor busy. */
const REST_SHARE = 2;

/** What a process has used since it began. */
export interface Use {
  readonly milliseconds: number;
  /** Of all its threads. */
  readonly processorMs: number;
}

/**
 * Rests between the pieces of a work that others should hardly notice: each time up to twice as long as the piece before took. On a
 * busy machine pieces take longer, and so do the rests; where no other thread of the process works there are none.
 * @param readUse for tests
 */
export function createRests(readUse: () => Use = readProcessUse): Pause {
  let began = readUse();
  return async () => {
    await wait(findRest(began, readUse()));
    began = readUse();
  };
}

function findRest(began: Use, ended: Use): number {
  const milliseconds = ended.milliseconds - began.milliseconds;
  // A thread that works takes as long as it computes; what is more is of others.
  const ofOthers = ended.processorMs - began.processorMs - milliseconds;
  return REST_SHARE * Math.max(0, Math.min(milliseconds, ofOthers));
}

function readProcessUse(): Use {
  const { user, system } = process.cpuUsage();
  return { milliseconds: performance.now(), processorMs: (user + system) / 1000 };
}
