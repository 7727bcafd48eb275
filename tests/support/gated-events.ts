import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Test } from 'tap';
import type { EventStore } from '../../src/events/event-store.js';
import { listEvents, openStore, type LocalPlace } from '../events/store-place.js';

/** A real store in a folder of its own, with a gate before it. */
export interface GatedEvents extends EventStore {
  readonly place: LocalPlace;
  /** Holds all requests back until the function that comes back is called. */
  hold(): () => void;
  /** Thrown by the next requests instead of keeping anything. */
  failure: unknown;
  /** What is on the disk. */
  list(): ReturnType<typeof listEvents>;
}

/** Opens a store that is closed when the test ends. @param folder one of its own where it is absent */
export async function openGatedEvents(t: Test, folder = makeFolder(t)): Promise<GatedEvents> {
  const place: LocalPlace = { store: 'local', folder };
  const store = await openStore(place);
  t.teardown(() => store.close());
  let gate: Promise<void> = Promise.resolve();
  const gated: GatedEvents = {
    place,
    failure: undefined,
    hold: () => {
      let release = (): void => undefined;
      gate = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    list: () => listEvents(place),
    keep: async (events) => {
      if (gated.failure !== undefined) throw gated.failure;
      await gate;
      return store.keep(events);
    },
    close: () => store.close(),
  };
  return gated;
}

/** Beside the folder of the test, which is emptied whenever a test asks for it. */
function makeFolder(t: Test): string {
  mkdirSync(dirname(t.testdirName), { recursive: true });
  const folder = mkdtempSync(`${t.testdirName}-events-`);
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
