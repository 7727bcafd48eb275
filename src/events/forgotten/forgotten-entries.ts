import { digestOfUser, type ForgottenList } from '../../domain/forgetting.js';

/** A user who asked to be forgotten. */
export interface ForgottenEntry {
  /** `digestOfUser`. */
  readonly digest: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A list in memory. Entries are added in the order of the store: all who read one store have the same times. */
export interface ForgottenEntries extends ForgottenList {
  add(entry: ForgottenEntry): void;
}

/** Starts with nobody. */
export function createForgottenEntries(): ForgottenEntries {
  const times = new Map<string, number>();
  let latest: number | undefined;
  return {
    add: ({ digest, at }) => {
      // Later than all before, whatever clocks said: `latest` then tells which entries a reader had.
      latest = latest === undefined ? at : Math.max(at, latest + 1);
      times.set(digest, latest / 1000);
    },
    // Nobody waits for a digest where nobody is in it.
    find: (userId) => (times.size === 0 ? undefined : times.get(digestOfUser(userId))),
    size: () => times.size,
    entries: () => times.entries(),
    latest: () => latest && latest / 1000,
  };
}
