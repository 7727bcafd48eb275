/** Share of the first k items of the longer list that both lists have among their first k; 0 to 1. */
export function overlapOf(first: readonly string[], second: readonly string[], { k }: { k: number }): number {
  const [one, two] = [first.slice(0, k), new Set(second.slice(0, k))];
  return one.filter((item) => two.has(item)).length / Math.max(one.length, two.size);
}

/** Kendall's tau over the items that both lists have, −1 to 1; undefined for fewer than two. */
export function rankCorrelation(first: readonly string[], second: readonly string[]): number | undefined {
  const places = new Map(second.map((item, place) => [item, place]));
  const shared = first.flatMap((item) => places.get(item) ?? []);
  const pairs = (shared.length * (shared.length - 1)) / 2;
  if (pairs === 0) return undefined;
  let ordered = 0;
  shared.forEach((place, index) => {
    for (const later of shared.slice(index + 1)) ordered += later > place ? 1 : -1;
  });
  return ordered / pairs;
}
