import type { OpenEvents } from '../event-store.js';
import { type LocalEventStoreOptions, openLocalEventStore } from './local-event-store.js';
import {
  type LocalLiveHistories,
  type LocalLiveHistoriesOptions,
  openLocalLiveHistories,
} from './local-live-histories.js';

/** Options of `openLocalEvents`. */
export interface LocalEventsOptions
  extends Omit<LocalEventStoreOptions, 'onOpened'>, Omit<LocalLiveHistoriesOptions, 'onChange'> {
  /** As `onChange` of the histories. */
  readonly onHistories: LocalLiveHistoriesOptions['onChange'];
}

/**
 * Opens the events of a folder for writing, by a thread, and for reading, in this one.
 * @throws ShortlistError INVALID_CONFIG when the folder is on a network file system
 */
export async function openLocalEvents({
  onHistories: onChange,
  ...options
}: LocalEventsOptions): Promise<OpenEvents> {
  let liveHistories: LocalLiveHistories | undefined;
  // What is kept from then on, the next request has seen, in whichever file.
  const store = await openLocalEventStore({ ...options, onOpened: () => liveHistories?.lookAgain() });
  const reading = openLocalLiveHistories({ ...options, onChange });
  liveHistories = reading;
  return {
    liveHistories,
    store: {
      keep: (events) => store.keep(events),
      close: async () => {
        // The writer is the last to let go of the file: it leaves all of it in one.
        reading.close();
        await store.close();
      },
    },
  };
}
