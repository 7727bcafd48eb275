import type { UserValues } from '../domain/candidate.js';
import { countStatuses } from '../features/count-statuses.js';
import { createFeatureRows, createUnknownRow, type FeatureRows } from '../features/feature-store.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import { knowableUserOf, type Subject } from '../domain/subject.js';
import type { CandidateEngine } from './engine.js';

/** The part of an engine that users are read from. */
export type UserEngine = Pick<CandidateEngine, 'userStores' | 'clock' | 'observer'>;

/** The rows of a user, one from each user view. */
export interface UserRows {
  /** In the order of the engine's stores; the declared defaults where a store failed. */
  readonly rows: readonly FeatureRows[];
  /** What the first store that failed has thrown. */
  readonly failure?: unknown;
  /** Of the views whose store failed. */
  readonly failedViews?: ReadonlySet<string>;
}

/** Rows that somebody else has read, by the name of their view. */
export interface PrefetchedRows {
  /** The declared defaults where a store failed. */
  readonly rows: ReadonlyMap<string, FeatureRows>;
  /** Unix seconds when they were asked for, which time to live was judged by. */
  readonly readAt?: number;
  /** What the first store that failed has thrown. */
  readonly failure?: PackedError;
  /** Of the views whose store failed. */
  readonly failedViews?: ReadonlySet<string>;
}

/** The rows of a user, read when they are first asked for and not again. */
export interface UserReading {
  readonly rows: () => UserRows | Promise<UserRows>;
  /** The same, as candidate sources take it. */
  readonly values: () => UserValues | Promise<UserValues>;
}

/** @param subject whose user, if it is one, the stores are asked about */
export function createUserReading(
  subject: Subject,
  engine: UserEngine,
  prefetched?: PrefetchedRows,
): UserReading {
  const userId = knowableUserOf(subject);
  let read: UserRows | Promise<UserRows> | undefined;
  const rows = (): UserRows | Promise<UserRows> =>
    (read ??= userId === undefined ? createUnknownUser(engine) : readUserRows(userId, engine, prefetched));
  return {
    rows,
    values: () => {
      const reading = rows();
      return reading instanceof Promise
        ? reading.then((found) => toValues(found, engine))
        : toValues(reading, engine);
    },
  };
}

function toValues({ rows, failedViews }: UserRows, { userStores }: UserEngine): UserValues {
  return new Map(
    userStores.flatMap(({ view }, index) =>
      failedViews?.has(view.name) === true ? [] : [[view.name, rows[index]!.values] as const],
    ),
  );
}

/** The rows of somebody that no store needs to be asked about: the declared defaults. */
export function createUnknownUser({ userStores }: UserEngine): UserRows {
  return { rows: userStores.map(({ view }) => createUnknownRow(view)) };
}

/**
 * Reads the row of a user from every user view, from all of them at the same time. No promise is made where the stores
 * answer at once, as those in memory do, and a store is not asked for a row that was prefetched. The failure of a store is
 * not thrown: the others have answered.
 */
export function readUserRows(
  userId: string,
  engine: UserEngine,
  prefetched?: PrefetchedRows,
): UserRows | Promise<UserRows> {
  const now = engine.clock();
  const rows = engine.userStores.map(
    ({ view }) => prefetched?.rows.get(view.name) ?? createFeatureRows(view, 1),
  );
  const failures: unknown[] = prefetched?.failure === undefined ? [] : [unpackError(prefetched.failure)];
  const failedViews = new Set(prefetched?.failedViews);
  const replies = engine.userStores.flatMap((store, index) => {
    if (prefetched?.rows.has(store.view.name) === true) return [];
    const target = rows[index]!;
    const fail = (error: unknown): void => {
      failures.push(error);
      failedViews.add(store.view.name);
      rows[index] = createUnknownRow(store.view);
    };
    const tell = (): void => engine.observer?.read(countStatuses(store.view, target, { count: 1 }));
    try {
      const reply = store.getMany([userId], target, { now });
      if (reply !== undefined) return [reply.then(tell).catch(fail)];
      tell();
    } catch (error) {
      fail(error);
    }
    return [];
  });
  const finish = (): UserRows =>
    failures.length === 0 ? { rows } : { rows, failure: failures[0], failedViews };
  return replies.length === 0 ? finish() : Promise.all(replies).then(finish);
}
