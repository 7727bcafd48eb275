/** Writes the inner product of a user's vector and each row of [items × dimensions] factors into `scores`, as `scoreOne` gives it. */
export function scoreAll(factors: Float32Array, user: Float64Array, scores: Float32Array): void {
  scoreRows(factors, user, { scores });
}

/** The same of some items, in their order. */
export function scoreSome(factors: Float32Array, user: Float64Array, items: Int32Array): Float32Array {
  const scores = new Float32Array(items.length);
  scoreRows(factors, user, { items, scores });
  return scores;
}

/** The inner product of a user's vector and one row of the factors, as float32. */
export function scoreOne(factors: Float32Array, user: Float64Array, item: number): number {
  let sum = 0;
  for (let k = 0, at = item * user.length; k < user.length; k++) sum += factors[at + k]! * user[k]!;
  return Math.fround(sum);
}

/**
 * Four rows at a time share the loads of the user vector, and what one waits for of the memory is not waited for again by the
 * next; each keeps its own sum in the order of `scoreOne`, so that both give the same number.
 * @param options.items whose rows; all, when not said
 */
function scoreRows(
  factors: Float32Array,
  user: Float64Array,
  { items, scores }: { items?: Int32Array; scores: Float32Array },
): void {
  const dimensions = user.length;
  const wholeBlocks = scores.length - (scores.length % 4);
  for (let place = 0; place < wholeBlocks; place += 4) {
    const at0 = (items === undefined ? place : items[place]!) * dimensions;
    const at1 = (items === undefined ? place + 1 : items[place + 1]!) * dimensions;
    const at2 = (items === undefined ? place + 2 : items[place + 2]!) * dimensions;
    const at3 = (items === undefined ? place + 3 : items[place + 3]!) * dimensions;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let k = 0; k < dimensions; k++) {
      const value = user[k]!;
      sum0 += factors[at0 + k]! * value;
      sum1 += factors[at1 + k]! * value;
      sum2 += factors[at2 + k]! * value;
      sum3 += factors[at3 + k]! * value;
    }
    scores[place] = sum0;
    scores[place + 1] = sum1;
    scores[place + 2] = sum2;
    scores[place + 3] = sum3;
  }
  for (let place = wholeBlocks; place < scores.length; place++) {
    scores[place] = scoreOne(factors, user, items === undefined ? place : items[place]!);
  }
}
