import { ShortlistError } from '../domain/errors.js';
import type { HistoryEvent } from '../domain/event.js';
import type { Subject } from '../domain/subject.js';

/** Gives what users and visitors did lately, from where events are kept. One contract suite runs on every implementation. */
export interface LiveHistories {
  /**
   * The latest events of a user, of a session, or of both together, oldest first: at most `events.history.maxItems` of each, none older than
   * `events.history.days`. An event of both counts once. Empty for a subject that is neither.
   * @returns no promise where the store is in the process
   * @throws ShortlistError HISTORY_FAILED, also as a rejection
   */
  find(subject: Subject): readonly HistoryEvent[] | Promise<readonly HistoryEvent[]>;
}

/** The error of histories that cannot be read now. @param reason goes on after a colon: `the file is damaged` */
export function historyFailed(reason: string, options?: { cause?: unknown }): ShortlistError {
  return new ShortlistError('HISTORY_FAILED', `What users did lately cannot be read: ${reason}.`, options);
}
