import type { MoveReason } from '../../domain/slate.js';
import type { SlateStep } from '../slate-rule.js';
import { fillPlaces } from './fill-places.js';

/**
 * Says what moved each of the shown candidates, and by how many places: the slate is filled by none of the rules, by the first, by the first two,
 * and so on, and what differs is of the rule that came last. So the first `from` is the place by ranking, the last `to` the place in the answer.
 * It takes as many slates as there are rules, each until all that is shown has a place: for those who ask.
 * @param ranks of the candidates to explain; there are few candidates, since the memory is the square of their number
 * @param options.begin the steps, new for each slate
 * @param options.places of the slate
 */
export function explainMoves(
  ranks: Int32Array,
  { begin, worth, places }: { begin: () => readonly SlateStep[]; worth: Float64Array; places: number },
): readonly (readonly MoveReason[])[] {
  const reasons = Array.from(ranks, (): MoveReason[] => []);
  const remember = createMemory(worth.length);
  let before = Int32Array.from(worth.keys());
  const kept = begin().map((step) => step.kind === 'pin' && step.place >= places);
  for (let count = 1; count <= kept.length; count++) {
    // A thousand pins of later pages do one thing to this one.
    if (kept[count - 1]! && kept[count] === true) continue;
    const steps = begin().slice(0, count).map(remember);
    const after = findPlaces(steps, worth, ranks);
    ranks.forEach((rank, at) => {
      const [from, to] = [before[rank]! + 1, after[rank]! + 1];
      if (from !== to) reasons[at]!.push(describeMove(steps.at(-1)!, rank, { from, to }));
    });
    before = after;
  }
  return reasons;
}

/** The place of each rank that is looked for, from 0. */
function findPlaces(
  steps: readonly SlateStep[],
  worth: Float64Array,
  upTo: Int32Array,
): Int32Array<ArrayBuffer> {
  const placeOf = new Int32Array(worth.length);
  const { ranks } = fillPlaces(steps, { worth, places: worth.length, upTo });
  ranks.forEach((rank, place) => (placeOf[rank] = place));
  return placeOf;
}

/** Slates of the same candidates compare the same pairs. There is one distance at most. */
function createMemory(size: number): (step: SlateStep) => SlateStep {
  const known = new Float32Array(size * size).fill(-1);
  return (step) => {
    if (step.kind !== 'distance') return step;
    const { likeness } = step;
    return {
      ...step,
      likeness: (rank, other) => {
        const pair = rank * size + other;
        if (known[pair]! < 0) known[pair] = likeness(rank, other);
        return known[pair]!;
      },
    };
  };
}

function describeMove(step: SlateStep, rank: number, { from, to }: { from: number; to: number }): MoveReason {
  const isUp = to < from;
  // These two hold back only: what moves up takes the place of another.
  const isMeant = !isUp || (step.kind !== 'cap' && step.kind !== 'distance');
  const detail = (isMeant ? step.explain(rank) : undefined) ?? (isUp ? 'moves up' : 'makes room');
  return { rule: step.name, detail, from, to };
}
