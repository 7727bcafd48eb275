/**
 * How many of the first positions it is true for, found in log2 of them.
 * @param isTrue is false for all positions behind the first for which it is
 */
export function bisect(length: number, isTrue: (at: number) => boolean): number {
  let [from, to] = [0, length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isTrue(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
