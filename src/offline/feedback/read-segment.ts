import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** The damaged lines of a segment. */
export interface SegmentFaults {
  /** 1-based numbers of lines, save the last one. */
  readonly lines: readonly number[];
  /** Whether the last line was cut off: its process ended while it was written. */
  readonly isTorn: boolean;
}

/**
 * Reads the lines of a segment, in order, one at a time in memory; `onEnd` is told what was left out.
 * @param find what a line says; undefined for one that is none of the log
 */
export async function* readSegment<T>(
  path: string,
  find: (line: string) => T | undefined,
  onEnd: (faults: SegmentFaults) => void,
): AsyncGenerator<T> {
  const faults: number[] = [];
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    count++;
    const found = find(line);
    if (found === undefined) faults.push(count);
    else yield found;
  }
  const isTorn = count > 0 && faults.at(-1) === count;
  onEnd({ lines: isTorn ? faults.slice(0, -1) : faults, isTorn });
}
