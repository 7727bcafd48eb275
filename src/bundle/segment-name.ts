import { identifyThisProcess, isAlive, type ProcessIdentity } from './process-identity.js';

/** What ends the name of a closed segment. */
export const CLOSED_SEGMENT = '.jsonl';

/** The same of one that is written to. */
export const OPEN_SEGMENT = '.jsonl.open';

/** How a segment that this process writes to is called, from its closed name: with who writes to it. */
export function nameOpenSegment(closed: string): string {
  const { pid, started, place } = identifyThisProcess();
  return `${closed.slice(0, -CLOSED_SEGMENT.length)}~${pid}-${started}-${place}${OPEN_SEGMENT}`;
}

/** What the name of a segment that is written to says. */
export interface OpenSegmentName {
  /** Its name once it is closed. */
  readonly closed: string;
  /** Whether its process lives, also when it is suspended; undefined where that cannot be told from here. */
  readonly isWritten: boolean | undefined;
}

/** Of a release that did not name the process, too. */
export function parseOpenSegment(name: string): OpenSegmentName {
  const [, start = name.slice(0, -OPEN_SEGMENT.length), pid, started, place] =
    /^(.+)~(\d+)-(\d*)-([0-9a-f]{8})\.jsonl\.open$/.exec(name) ?? [];
  const closed = start + CLOSED_SEGMENT;
  if (pid === undefined) return { closed, isWritten: undefined };
  const writer: ProcessIdentity = { host: '', place: place!, pid: Number(pid), started: started! };
  return { closed, isWritten: isAlive(writer) };
}
