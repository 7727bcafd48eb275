import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { createSegmentWriter, type SegmentWriter } from './segment-writer.js';

/** The folder of a log, and the bounds of its segments. */
export type LogSettings = Pick<
  Settings['impressions'],
  'folder' | 'segmentMegabytes' | 'segmentSeconds' | 'flushMs' | 'bufferMegabytes'
>;

/** Logger, name and metrics of a log. */
export interface LogParts {
  readonly logger: Logger;
  /** What its lines are, in the plural. */
  readonly what: string;
  readonly count: (outcome: 'written' | 'dropped', lines: number) => void;
  /** Whether its folder can be written to. */
  readonly show: (writable: boolean) => void;
}

/**
 * Opens a log of lines in segments. A folder that cannot be written to is a warning, and another line when it can be
 * again: nobody waits for it.
 */
export function openLog(settings: LogSettings, { logger, what, count, show }: LogParts): SegmentWriter {
  const { folder } = settings;
  show(true);
  return createSegmentWriter({
    folder,
    maxSegmentBytes: settings.segmentMegabytes * 1e6,
    maxSegmentMs: settings.segmentSeconds * 1000,
    flushMs: settings.flushMs,
    maxBufferBytes: settings.bufferMegabytes * 1e6,
    observer: {
      written: (lines) => count('written', lines),
      dropped: (lines) => count('dropped', lines),
      changed: (failure) => {
        show(failure === undefined);
        if (failure === undefined) logger.info({ folder }, `${what} are written again`);
        else logger.warn({ folder, err: failure }, `${what} cannot be written: they wait, then are dropped`);
      },
    },
  });
}
