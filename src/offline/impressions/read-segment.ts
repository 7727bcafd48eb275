import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { findImpression, type LoggedImpression } from './impression-rows.js';

/** What a segment had that was no impression. */
export interface SegmentFaults {
  /** 1-based numbers of lines, save the last one. */
  readonly lines: readonly number[];
  /** Whether the last line was cut off: its process ended while it was written. */
  readonly isTorn: boolean;
}

/** Reads the impressions of a segment, in order, one at a time in memory; `onEnd` is told what was left out. */
export async function* readSegment(
  path: string,
  onEnd: (faults: SegmentFaults) => void,
): AsyncGenerator<LoggedImpression> {
  const faults: number[] = [];
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    count++;
    const impression = findImpression(line);
    if (impression === undefined) faults.push(count);
    else yield impression;
  }
  const isTorn = count > 0 && faults.at(-1) === count;
  onEnd({ lines: isTorn ? faults.slice(0, -1) : faults, isTorn });
}
