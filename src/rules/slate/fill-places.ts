import { orderByScore } from '../../domain/top-k.js';
import type { CapStep, DistanceStep, PinStep, SlateStep, WorthStep } from '../slate-rule.js';

/** What is filled, and from what. */
export interface Filling {
  /** Per rank: 0 for the worst candidate to 1 for the best. */
  readonly worth: Float64Array;
  /** Places at most. */
  readonly places: number;
  /** Ranks of candidates with the last of which it is enough; all places where it is absent. */
  readonly upTo?: Int32Array | undefined;
}

/** The candidates in the order in which they stand, by rank. */
export interface FilledPlaces {
  readonly ranks: Int32Array;
  /** Places that no candidate could take under every cap. */
  readonly relaxed: number;
}

/**
 * Fills the places of a slate, one after the other, under all rules at once, whatever their order: a pin takes its place; every other place
 * goes to the candidate that is worth most among those that the caps allow. With a distance, worth is maximal marginal relevance
 * (Carbonell and Goldstein, SIGIR 1998): (1 − strength) · worth − strength · likeness to the nearest of those before. Where no candidate is
 * allowed, caps give way, so that the slate is full while a candidate is left: of those that cannot hold together the first ones do. A candidate
 * that is pinned behind the slate is kept for there while others are left. Equal worth stands in the order of ranking.
 */
export function fillPlaces(steps: readonly SlateStep[], { worth, places, upTo }: Filling): FilledPlaces {
  const size = worth.length;
  const count = Math.min(places, size);
  const caps = steps.filter((step): step is CapStep => step.kind === 'cap');
  const distance = steps.find((step): step is DistanceStep => step.kind === 'distance');
  const queue = createQueue(worth, steps, distance);
  const { pinned, later } = placePins(steps, { count, size });
  for (const rank of later) queue.remove(rank);
  pinned.forEach((rank, place) => {
    if (rank < 0) return;
    queue.remove(rank);
    for (const cap of caps) cap.reserve(rank, place);
  });
  const ranks = new Int32Array(count);
  const missing = new Set(upTo);
  let relaxed = 0;
  let place = 0;
  for (; place < count; place++) {
    if (upTo !== undefined && missing.size === 0) break;
    let rank = pinned[place]!;
    if (rank < 0) {
      rank = queue.takeBest(caps);
      if (rank < 0) rank = queue.takeBest(findLasting(caps, queue));
      if (rank < 0) rank = later.shift()!;
      if (caps.some((cap) => !cap.allows(rank))) relaxed++;
    }
    ranks[place] = rank;
    queue.stand(rank);
    for (const cap of caps) cap.take(rank);
    missing.delete(rank);
  }
  return { ranks: ranks.subarray(0, place), relaxed };
}

/** Of caps that cannot hold together at a place, those that do: each holds where it can beside the ones before it. */
function findLasting(caps: readonly CapStep[], queue: Queue): CapStep[] {
  const lasting: CapStep[] = [];
  for (const cap of caps) if (queue.hasAny([...lasting, cap])) lasting.push(cap);
  return lasting;
}

/** Where pinned candidates stand. */
interface PinnedRanks {
  /** The rank that is pinned to each place, -1 for none. */
  readonly pinned: Int32Array;
  /** Ranks that are pinned behind the places, in the order of theirs. */
  readonly later: number[];
}

/** The first pin of a place and of a candidate counts. Where all candidates are shown, those that are pinned behind them stand at the end. */
function placePins(
  steps: readonly SlateStep[],
  { count, size }: { count: number; size: number },
): PinnedRanks {
  const pinned = new Int32Array(count).fill(-1);
  const later: number[] = [];
  const pins = steps.filter((step): step is PinStep => step.kind === 'pin');
  if (pins.length === 0) return { pinned, later };
  const placeOf = new Map<number, number>();
  const taken = new Map<number, number>();
  for (const { rank, place } of pins) {
    if (placeOf.has(rank) || taken.has(place)) continue;
    placeOf.set(rank, place);
    taken.set(place, rank);
  }
  const late: number[] = [];
  for (const [place, rank] of [...taken].sort(([a], [b]) => a - b)) {
    if (place < count) pinned[place] = rank;
    else if (count === size) late.push(rank);
    else later.push(rank);
  }
  for (let place = count - 1; late.length > 0 && place >= 0; place--) {
    if (pinned[place]! < 0) pinned[place] = late.pop()!;
  }
  return { pinned, later };
}

/** The candidates that wait for a place. */
interface Queue {
  remove(rank: number): void;
  /** A candidate has its place: others are held against it. */
  stand(rank: number): void;
  /** Whether all caps allow any. */
  hasAny(caps: readonly CapStep[]): boolean;
  /** The best that all caps allow, which waits no longer; -1 where none is allowed. */
  takeBest(caps: readonly CapStep[]): number;
}

function createQueue(
  ranked: Float64Array,
  steps: readonly SlateStep[],
  distance: DistanceStep | undefined,
): Queue {
  const changes = steps.filter((step): step is WorthStep => step.kind === 'worth');
  const worth = changes.length === 0 ? ranked : changeWorth(ranked, changes);
  const order = changes.length === 0 ? undefined : orderByScore(new Float32Array(worth));
  const gone = new Uint8Array(worth.length);
  const marginal = distance && createMarginalWorth(worth, distance);
  /** All before it in the order are gone. */
  let first = 0;

  function takeBest(caps: readonly CapStep[]): number {
    let best = -1;
    let bestWorth = Number.NEGATIVE_INFINITY;
    while (first < gone.length && gone[order === undefined ? first : order[first]!] === 1) first++;
    for (let at = first; at < gone.length; at++) {
      const rank = order === undefined ? at : order[at]!;
      if (gone[rank] === 1) continue;
      // Likeness only takes away, and what follows is worth no more.
      if (marginal !== undefined && marginal.mostOf(rank) <= bestWorth) break;
      if (!areAllowing(caps, rank)) continue;
      if (marginal === undefined) {
        best = rank;
        break;
      }
      const found = marginal.worthOf(rank, bestWorth);
      if (found > bestWorth) {
        best = rank;
        bestWorth = found;
      }
    }
    if (best >= 0) gone[best] = 1;
    return best;
  }

  return {
    remove: (rank) => {
      gone[rank] = 1;
    },
    stand: (rank) => marginal?.stand(rank),
    hasAny: (caps) => gone.some((isGone, rank) => isGone === 0 && areAllowing(caps, rank)),
    takeBest,
  };
}

/** Rounded as the order is that is made of it. */
function changeWorth(ranked: Float64Array, changes: readonly WorthStep[]): Float64Array {
  const worth = ranked.slice();
  for (const step of changes) step.change(worth);
  return new Float64Array(new Float32Array(worth));
}

function areAllowing(caps: readonly CapStep[], rank: number): boolean {
  for (let at = 0; at < caps.length; at++) if (!caps[at]!.allows(rank)) return false;
  return true;
}

/**
 * Marginal relevance, as late as it is needed: what a candidate was held against is remembered, and it is held against no more than it
 * takes to be worth no more than another. 300 candidates × 64: 10 places in a tenth of the time that all pairs take.
 */
function createMarginalWorth(worth: Float64Array, { strength, likeness, near }: DistanceStep) {
  const standing: number[] = [];
  const nearest = new Float64Array(worth.length);
  const held = new Int32Array(worth.length);
  const mostOf = (rank: number): number => (1 - strength) * worth[rank]!;
  return {
    mostOf,
    stand: (rank: number): void => void standing.push(rank),
    /** Exact where it is above `floor`. */
    worthOf: (rank: number, floor: number): number => {
      const most = mostOf(rank);
      let like = nearest[rank]!;
      let at = held[rank]!;
      for (; at < standing.length && most - strength * like > floor; at++) {
        const found = likeness(rank, standing[at]!);
        if (found > like) {
          like = found;
          near(rank, standing[at]!);
        }
      }
      nearest[rank] = like;
      held[rank] = at;
      return most - strength * like;
    },
  };
}
