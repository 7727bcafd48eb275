import { timerMs } from '../domain/timers.js';
import { openSegment, type Segment } from './segment.js';

/** Appends lines to files of one process, which others read once they are closed. */
export interface SegmentWriter {
  /** Takes a line, which ends with a line feed, to be written soon; drops it when too much waits already. Never throws. */
  append(line: string): void;
  /** Writes what waits, where the disk lets it, and closes the segment. */
  close(): Promise<void>;
}

/** Is told what becomes of lines; nothing here may throw. */
export interface SegmentObserver {
  written(lines: number): void;
  dropped(lines: number): void;
  /** The first write failed, with why, or one succeeded again. */
  changed(failure: Error | undefined): void;
}

/** Options of `createSegmentWriter`. */
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
  const { observer } = options;
  const waiting = createWaitingLines(options.maxBufferBytes);
  const segment = createOpenSegment(options);
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
      if (waiting.count() > 0) schedule();
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
    const leftMs = segment.findLeftMs();
    if (leftMs !== undefined) ageTimer = setTimeout(() => void flush(), timerMs(leftMs)).unref();
  }

  async function write(): Promise<void> {
    try {
      await segment.closeWhenDue();
      while (waiting.count() > 0) await writeChunk();
      await segment.closeWhenDue();
      tell(undefined);
    } catch (error) {
      tell(error as Error);
    }
  }

  async function writeChunk(): Promise<void> {
    const lines = waiting.takeChunk();
    try {
      await segment.append(lines);
    } catch (error) {
      waiting.putBack(lines);
      throw error;
    }
    waiting.release(lines);
    observer.written(lines.length);
  }

  function tell(failure: Error | undefined): void {
    if (failing === (failure !== undefined)) return;
    failing = failure !== undefined;
    observer.changed(failure);
  }

  return {
    append: (line) => {
      if (closed || !waiting.add(line)) return observer.dropped(1);
      if (waiting.bytes() > EAGER_BYTES && !failing) void flush();
      else schedule();
    },
    close: async () => {
      await writing;
      await flush();
      closed = true;
      for (const each of [timer, ageTimer]) clearTimeout(each);
      if (waiting.count() > 0) observer.dropped(waiting.count());
      await segment.close().catch((error: unknown) => tell(error as Error));
    },
  };
}

/** The segment that lines go to; there is none before the first line, and after each close. */
interface OpenSegment {
  /** Opens a segment where there is none, and writes the lines; when it rejects, none of them is there. */
  append(lines: readonly string[]): Promise<void>;
  /** Milliseconds until it is old enough to be closed; undefined where there is none. */
  findLeftMs(): number | undefined;
  /** Closes it where it is large or old enough. */
  closeWhenDue(): Promise<void>;
  /** Closes it where there is one. */
  close(): Promise<void>;
}

/** Its name is of the time that people know, its age is that of a clock that nobody sets. */
interface AgedSegment extends Segment {
  readonly openedAt: number;
}

function createOpenSegment(options: SegmentOptions): OpenSegment {
  const { folder, maxSegmentBytes, maxSegmentMs, now = () => performance.now() } = options;
  const leftMsOf = ({ openedAt }: AgedSegment): number => maxSegmentMs - (now() - openedAt);
  let segment: AgedSegment | undefined;

  async function close(): Promise<void> {
    const closing = segment;
    segment = undefined;
    await closing?.close();
  }

  return {
    append: async (lines) => {
      try {
        segment ??= { ...(await openSegment(folder, Date.now())), openedAt: now() };
        await segment.append(lines);
      } catch (error) {
        if (segment?.isBroken() === true) segment = undefined;
        throw error;
      }
    },
    findLeftMs: () => segment && leftMsOf(segment),
    closeWhenDue: async () => {
      if (segment === undefined) return;
      if (leftMsOf(segment) <= 0 || segment.sizeBytes() >= maxSegmentBytes) await close();
    },
    close,
  };
}

/** Lines that wait to be written. */
interface WaitingLines {
  count(): number;
  /** Memory that they take, those that were taken to be written included until they are released. */
  bytes(): number;
  /** False when there is no room for it. */
  add(line: string): boolean;
  /** The oldest lines, so many that putting them together does not hold up the event loop. */
  takeChunk(): string[];
  /** Lines that could not be written wait again, before all others. */
  putBack(lines: readonly string[]): void;
  /** Lines that were written take no memory any more. */
  release(lines: readonly string[]): void;
}

function createWaitingLines(maxBytes: number): WaitingLines {
  const waiting: string[] = [];
  let waitingBytes = 0;
  return {
    count: () => waiting.length,
    bytes: () => waitingBytes,
    add: (line) => {
      if (waitingBytes + line.length > maxBytes) return false;
      waiting.push(line);
      waitingBytes += line.length;
      return true;
    },
    takeChunk: () => {
      let bytes = 0;
      const end = waiting.findIndex((line) => (bytes += line.length) > CHUNK_BYTES);
      return waiting.splice(0, end < 0 ? waiting.length : Math.max(1, end));
    },
    putBack: (lines) => void waiting.unshift(...lines),
    release: (lines) => (waitingBytes -= lengthOf(lines)),
  };
}

function lengthOf(lines: readonly string[]): number {
  return lines.reduce((sum, { length }) => sum + length, 0);
}
