/** Something that a user or a visitor did with an item, as an app tells it. */
export interface UserEvent {
  /** The sender's own: the same one twice counts once. Without one the event counts as often as it is sent. */
  readonly eventId?: string | undefined;
  /** At least one of user and session is there. */
  readonly userId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly itemId: string;
  /** `click`, `purchase`, …: `^[a-z][a-z0-9_-]{0,63}$`. */
  readonly type: string;
  /** Absent where none was said. */
  readonly value?: number | undefined;
  /** Unix seconds. */
  readonly time: number;
  /** The answer that showed the item. */
  readonly slateId?: string | undefined;
  /** Fields of the request context, by name. */
  readonly context?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** No price and no number of pieces is larger; times the largest weight it is a float32 still. */
export const LARGEST_EVENT_VALUE = 1e9;

/** A timestamp may be so many seconds ahead of the server's clock: clocks of clients differ. */
export const MOST_SECONDS_AHEAD = 60;

/** What histories need of an event. */
export type HistoryEvent = Pick<UserEvent, 'itemId' | 'type' | 'value' | 'time'>;

/** An event as a store keeps it. */
export interface KeptEvent extends UserEvent {
  /** Order in which the store took it; above 0, unique in the store. */
  readonly sequence: number;
  /** Unix seconds, by the clock of the server. */
  readonly keptAt: number;
}
