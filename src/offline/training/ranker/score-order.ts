/** Positions must fit beside a 32-bit key in the 53 bits of a float64. */
const POSITIONS = 2 ** 21;

/** Rows of a query that are sorted by insertion. */
const SHORT = 100;

const scoreBits = new Float32Array(1);
const scoreKey = new Uint32Array(scoreBits.buffer);

/**
 * Orders the rows of one query by descending score (compared as float32, as a served score is), ties in row order, into
 * `order` (0-based within the query). At most 2^21 rows. Sorts packed numbers: a comparator costs tens of
 * nanoseconds per comparison, and every tree sorts every query.
 *
 * @param keys scratch of at least `scores.length`
 */
export function orderByScore(scores: Float64Array, order: Uint32Array, keys: Float64Array): void {
  const { length } = scores;
  for (let position = 0; position < length; position++) {
    keys[position] = descendingKey(scores[position]!) * POSITIONS + position;
  }
  if (length <= SHORT) sortShort(keys, length);
  else keys.subarray(0, length).sort();
  for (let rank = 0; rank < length; rank++) order[rank] = keys[rank]! % POSITIONS;
}

/** Insertion sort: for few numbers it costs less than the call of a typed array's own. */
function sortShort(keys: Float64Array, length: number): void {
  for (let index = 1; index < length; index++) {
    const key = keys[index]!;
    let place = index;
    for (; place > 0 && keys[place - 1]! > key; place--) keys[place] = keys[place - 1]!;
    keys[place] = key;
  }
}

/** A 32-bit whole number that falls as the float32 score rises (the sign bit flipped, negatives mirrored). */
function descendingKey(score: number): number {
  scoreBits[0] = score + 0; // −0 and 0 are one score
  const bits = scoreKey[0]!;
  return bits >= 0x8000_0000 ? bits : 0x7fff_ffff - bits;
}
