import type { ForgottenList } from '../../../domain/forgetting.js';
import { openDatabase } from '../../data/database.js';
import { createForgottenDigests } from '../../data/forgotten-digests.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { forgetInLines, type ForgottenLines } from './forget-in-lines.js';
import { forgetInParquet, type ForgottenRows } from './forget-in-parquet.js';

/** Where files are that servers and compactions wrote. */
export interface FilesToForgetIn {
  /** Compacted events. */
  readonly events: string;
  /** Compacted impressions. */
  readonly impressions: string;
  /** Segments of the impression log, and of the feature log. */
  readonly logs: readonly string[];
}

/** What was removed from them. */
export interface ForgottenInFiles {
  readonly events: ForgottenRows;
  readonly impressions: ForgottenRows;
  readonly lines: ForgottenLines;
}

/**
 * Removes from files what is of users who asked to be forgotten, of before that.
 * @throws ShortlistError LOCKED, CONFLICT, and what the list throws. What was cut off is run again
 */
export async function forgetInFiles(
  { events, impressions, logs }: FilesToForgetIn,
  { forgotten, progress }: { forgotten: ForgottenList; progress: ProgressReporter },
): Promise<ForgottenInFiles> {
  const step = progress.start('forget in files');
  const database = await openDatabase();
  try {
    const { connection } = database;
    await createForgottenDigests(connection, [...forgotten.entries()]);
    const lines = { lines: 0, segments: 0 };
    const found = {
      events: await forgetInParquet(connection, events, 'events'),
      impressions: await forgetInParquet(connection, impressions, 'impressions'),
      lines,
    };
    for (const folder of logs) {
      const ofLog = await forgetInLines(folder, forgotten);
      lines.lines += ofLog.lines;
      lines.segments += ofLog.segments;
    }
    step.finish(`${found.events.rows + found.impressions.rows} rows, ${lines.lines} lines`);
    return found;
  } finally {
    database.close();
  }
}
