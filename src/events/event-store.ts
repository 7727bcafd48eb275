import { ShortlistError } from '../domain/errors.js';
import type { UserEvent } from '../domain/event.js';
import type { LiveHistories } from './live-histories.js';

/** What became of one event. */
export type Keeping = 'accepted' | 'duplicate';

/** Keeps events for good, each once. One contract suite runs on every implementation. */
export interface EventStore {
  /**
   * Keeps events: when the promise resolves they are durable, on the disk or with a Redis that has synced them. Requests that wait share
   * one commit.
   * @returns what became of each, in the order of `events`
   * @throws ShortlistError EVENTS_UNAVAILABLE: none of these events is kept
   */
  keep(events: readonly UserEvent[]): Promise<readonly Keeping[]>;
  /** Ends when every event that waits is durable or refused. */
  close(): Promise<void>;
}

/** Where events are kept, open. */
export interface OpenEvents {
  /** Its `close` closes the histories too. */
  readonly store: EventStore;
  readonly liveHistories: LiveHistories;
}

/** The error of a store that cannot keep events now. @param reason goes on after a colon: `the disk is full` */
export function eventsUnavailable(reason: string): ShortlistError {
  return new ShortlistError('EVENTS_UNAVAILABLE', `Events cannot be kept now: ${reason}.`);
}
