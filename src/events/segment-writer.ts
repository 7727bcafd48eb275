import { timerMs } from '../domain/timers.js';
import { openSegment, type Segment } from './segment.js';

/** What is appended to by one process, in files that others read once they are closed. */
export interface SegmentWriter {
  /** Takes a line, which ends with a line feed, to be written soon; drops it when too much waits already. Never throws. */
  append(line: string): void;
  /** Writes what waits, where the disk lets it, and closes the segment. */
  close(): Promise<void>;
}

/** What becomes of lines; nothing here may throw. */
export interface SegmentObserver {
  written(lines: number): void;
  dropped(lines: number): void;
  /** The first write failed, with why, or one succeeded again. */
  changed(failure: Error | undefined): void;
}

export interface SegmentOptions {
  readonly folder: string;
  readonly maxSegmentBytes: number;
  readonly maxSegmentMs: number;
  /** How long a line waits for others. */
  readonly flushMs: number;
  /** Memory for what waits. */
  readonly maxBufferBytes: number;
  readonly observer: SegmentObserver;
  /** Milliseconds on a clock that nobody sets; `performance.now` by default. */
  readonly now?: () => number;
}

/** Its name is of the time that people know, its age is that of a clock that nobody sets. */
interface AgedSegment extends Segment {
  readonly openedAt: number;
}

/** More than this is not left waiting for its time. */
const EAGER_BYTES = 262_144;

/** Written in one go; a few thousand lines. */
const CHUNK_BYTES = 1_048_576;

/**
 * An append-only log of lines in segments, `<time>-<random>.jsonl`; while they are written to, with who writes before `.jsonl` and `.open` after it. A
 * segment is opened for the first line that needs it, and closed when it is large or old enough. Writes happen one
 * after the other beside whoever appends; one that fails is taken back and tried again with what came meanwhile.
 */
export function createSegmentWriter(options: SegmentOptions): SegmentWriter {
  const { observer, now = () => performance.now() } = options;
  const waiting: string[] = [];
  let waitingBytes = 0;
  let segment: AgedSegment | undefined;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ageTimer: NodeJS.Timeout | undefined;
  let failing = false;
  let closed = false;

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
      if (waiting.length > 0) schedule();
      watchAge();
    });
    return writing;
  }

  function schedule(): void {
    timer ??= setTimeout(() => void flush(), options.flushMs).unref();
  }

  /** A segment without new lines has to be closed in time as well. */
  function watchAge(): void {
    clearTimeout(ageTimer);
    if (segment === undefined) return;
    const leftMs = options.maxSegmentMs - (now() - segment.openedAt);
    ageTimer = setTimeout(() => void flush(), timerMs(leftMs)).unref();
  }

  async function write(): Promise<void> {
    try {
      await closeOldSegment();
      while (waiting.length > 0) await writeChunk();
      await closeOldSegment();
      tell(undefined);
    } catch (error) {
      tell(error as Error);
    }
  }

  async function writeChunk(): Promise<void> {
    const lines = takeChunk();
    try {
      segment ??= { ...(await openSegment(options.folder, Date.now())), openedAt: now() };
      await segment.append(lines);
    } catch (error) {
      if (segment?.isBroken() === true) segment = undefined;
      waiting.unshift(...lines);
      throw error;
    }
    waitingBytes -= lengthOf(lines);
    observer.written(lines.length);
  }

  /** So many lines that putting them together does not hold up the event loop. */
  function takeChunk(): string[] {
    let bytes = 0;
    const end = waiting.findIndex((line) => (bytes += line.length) > CHUNK_BYTES);
    return waiting.splice(0, end < 0 ? waiting.length : Math.max(1, end));
  }

  async function closeOldSegment(): Promise<void> {
    if (segment === undefined) return;
    const isOld = now() - segment.openedAt >= options.maxSegmentMs;
    if (isOld || segment.sizeBytes() >= options.maxSegmentBytes) await closeSegment();
  }

  async function closeSegment(): Promise<void> {
    const closing = segment!;
    segment = undefined;
    await closing.close();
  }

  function tell(failure: Error | undefined): void {
    if (failing === (failure !== undefined)) return;
    failing = failure !== undefined;
    observer.changed(failure);
  }

  return {
    append: (line) => {
      if (closed || waitingBytes + line.length > options.maxBufferBytes) return observer.dropped(1);
      waiting.push(line);
      waitingBytes += line.length;
      if (waitingBytes > EAGER_BYTES && !failing) void flush();
      else schedule();
    },
    close: async () => {
      await writing;
      await flush();
      closed = true;
      for (const each of [timer, ageTimer]) clearTimeout(each);
      if (waiting.length > 0) observer.dropped(waiting.length);
      if (segment !== undefined) await closeSegment().catch((error: unknown) => tell(error as Error));
    },
  };
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, { length }) => sum + length, 0);
}
