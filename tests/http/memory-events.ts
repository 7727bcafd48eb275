import { ShortlistError } from '../../src/domain/errors.js';
import type { UserEvent } from '../../src/domain/event.js';
import type { EventStore, Keeping } from '../../src/events/event-store.js';

/** Events in memory, each once. Its fields let a test choose what happens next. */
export class MemoryEvents implements EventStore {
  readonly kept: UserEvent[] = [];
  readonly #ids = new Set<string>();
  /** Why nothing can be kept. */
  failure: unknown;
  closed = false;
  #gate: Promise<void> = Promise.resolve();

  /** Holds every commit back until the function that comes back is called. */
  hold(): () => void {
    let release = (): void => undefined;
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }

  async keep(events: readonly UserEvent[]): Promise<readonly Keeping[]> {
    if (this.failure !== undefined) throw this.failure;
    if (this.closed) throw new ShortlistError('EVENTS_UNAVAILABLE', 'The store is closed.');
    await this.#gate;
    return events.map((event) => this.#keepOne(event));
  }

  #keepOne(event: UserEvent): Keeping {
    const { eventId, userId, sessionId } = event;
    if (eventId !== undefined) {
      const key = JSON.stringify(userId === undefined ? [1, sessionId, eventId] : [0, userId, eventId]);
      if (this.#ids.has(key)) return 'duplicate';
      this.#ids.add(key);
    }
    this.kept.push(event);
    return 'accepted';
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
