import { identifyThisProcess, isAlive, type ProcessIdentity } from './process-identity.js';

/** Suffix of the name of a closed segment. */
export const CLOSED_SEGMENT = '.jsonl';

/** Suffix of the name of a segment that is still written to. */
export const OPEN_SEGMENT = '.jsonl.open';

/**
 * The name of a segment while this process writes to it: the closed name with the identity of the process in
 * it.
 */
export function nameOpenSegment(closed: string): string {
  const { pid, started, place } = identifyThisProcess();
  return `${closed.slice(0, -CLOSED_SEGMENT.length)}~${pid}-${started}-${place}${OPEN_SEGMENT}`;
}

/** The parts of the name of an open segment. */
export interface OpenSegmentName {
  /** Its name once it is closed. */
  readonly closed: string;
  /** Whether its process lives, also when it is suspended; undefined where that cannot be told from here. */
  readonly isWritten: boolean | undefined;
}

/** Takes the name of an open segment apart; names of older releases, without a process, too. */
export function parseOpenSegment(name: string): OpenSegmentName {
  const [, start = name.slice(0, -OPEN_SEGMENT.length), pid, started, place] =
    /^(.+)~(\d+)-(\d*)-([0-9a-f]{8})\.jsonl\.open$/.exec(name) ?? [];
  const closed = start + CLOSED_SEGMENT;
  if (pid === undefined) return { closed, isWritten: undefined };
  const writer: ProcessIdentity = { host: '', place: place!, pid: Number(pid), started: started! };
  return { closed, isWritten: isAlive(writer) };
}
