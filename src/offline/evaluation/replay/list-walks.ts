import { contextOf, type ContextValues } from '../../../domain/context.js';
import type { HistoryEvent } from '../../../domain/event.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import { findSettling, findTargets } from '../../../domain/target.js';
import type { EvaluationQuery, EvaluationSplit } from '../../protocol/splits.js';

/** How much of a split is replayed at most. */
export interface ReplayLimits {
  /** Users of a split, drawn by the seed. */
  readonly users: number;
  /** Events of each user, the earliest. */
  readonly events: number;
}

/** A held-out interaction, as the app tells of it. */
export interface HeldOutEvent extends HistoryEvent {
  /** Item index. */
  readonly item: number;
  /** Whether it is one that may be asked for. */
  readonly isTarget: boolean;
  /** Whether nobody is asked about its item again after it. */
  readonly settles: boolean;
  /** Of the moment, where the dataset declares any. */
  readonly context?: ContextValues;
}

/** What one user did after the cut. */
export interface ReplayWalk {
  /** User index. */
  readonly user: number;
  /** Oldest first; those of one time in table order. */
  readonly events: readonly HeldOutEvent[];
  /** As many events of another user, at the times of the user's own. */
  readonly strangers: readonly HistoryEvent[];
  /** Item indexes that the user took for the first time. */
  readonly relevant: Int32Array;
}

/** One question of a walk. */
export interface ReplayAsk {
  /** Item index of what the user took next. */
  readonly target: number;
  readonly context?: ContextValues | undefined;
  /** What the user did before, oldest first. */
  readonly own: readonly HeldOutEvent[];
  /** As many events of another user. */
  readonly strangers: readonly HistoryEvent[];
}

/** The type of held-out events that have none of their own. */
export const REPLAYED_TYPE = 'interaction';

/**
 * The users of a split with what they did, by user index. Which users, and whose events the control is told, depends on the seed
 * alone: the users stand in a ring, and each is given the events of those that follow.
 */
export function listWalks(
  { tested, queries }: Pick<EvaluationSplit, 'tested' | 'queries'>,
  { users, events, seed }: ReplayLimits & { seed: number },
): ReplayWalk[] {
  const drawn = createSeededRandom(seed)
    .shuffle([...queries])
    .slice(0, users);
  const eventsOf = readEvents(tested, { of: drawn, limit: events });
  const ring = drawn.map(({ user }) => eventsOf.get(user)!);
  return drawn
    .map(({ user, relevant }, place): ReplayWalk => {
      const own = ring[place]!;
      const others = [...ring.slice(place + 1), ...ring.slice(0, place)];
      return { user, relevant, events: own, strangers: lend(others, own) };
    })
    .sort((a, b) => a.user - b.user);
}

/**
 * The questions of a walk, in order: what comes next, before each event with an item that is new to the user. An item that the user had is
 * never asked for, since `exclude-seen` takes it out of every answer; its event is pushed like the others.
 */
export function* listAsks({ events, strangers, relevant }: ReplayWalk): Generator<ReplayAsk> {
  const open = new Set(relevant);
  for (const [at, { item, isTarget, context }] of events.entries()) {
    if (!isTarget || !open.delete(item)) continue;
    yield { target: item, context, own: events.slice(0, at), strangers: strangers.slice(0, at) };
  }
}

/** By user index. */
function readEvents(
  table: InteractionTable,
  { of, limit }: { of: readonly EvaluationQuery[]; limit: number },
): ReadonlyMap<number, readonly HeldOutEvent[]> {
  const events = new Map<number, HeldOutEvent[]>(of.map(({ user }) => [user, []]));
  const isTarget = findTargets(table);
  const settles = findSettling(table);
  for (let row = 0; row < table.user.length; row++) {
    const own = events.get(table.user[row]!);
    if (own !== undefined && own.length < limit)
      own.push({
        ...readEvent(table, row),
        isTarget: isTarget[row] === 1,
        settles: settles[row] === 1,
      });
  }
  return events;
}

function readEvent(
  { items, item, timestamp, value, types, context }: InteractionTable,
  row: number,
): Omit<HeldOutEvent, 'isTarget' | 'settles'> {
  return {
    item: item[row]!,
    itemId: items.idAt(item[row]!),
    type: types?.names[types.codes[row]!] ?? REPLAYED_TYPE,
    value: value[row]!,
    time: timestamp[row]!,
    ...(context && { context: contextOf(context, row) }),
  };
}

/** The events of others, at the times of a user's own; fewer where the others have fewer. */
function lend(
  others: readonly (readonly HeldOutEvent[])[],
  own: readonly HeldOutEvent[],
): readonly HistoryEvent[] {
  const lent: HistoryEvent[] = [];
  for (const events of others) {
    for (const { itemId, type, value } of events) {
      if (lent.length === own.length) return lent;
      lent.push({ itemId, type, value, time: own[lent.length]!.time });
    }
  }
  return lent;
}
