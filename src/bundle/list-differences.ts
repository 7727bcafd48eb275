/** A value that two things do not share, by its dotted name. */
export type Difference = readonly [name: string, first: string, second: string];

/**
 * Lists the values that two pieces of JSON do not share; a part that is absent on one side is `none` there.
 */
export function listDifferences(first: unknown, second: unknown): Difference[] {
  const [ours, theirs] = [flatten(first), flatten(second)];
  const names = [...new Set([...ours.keys(), ...theirs.keys()])];
  return names
    .filter((name) => ours.get(name) !== theirs.get(name))
    .map((name) => [name, ours.get(name) ?? 'none', theirs.get(name) ?? 'none']);
}

/** Arrays are values: they differ as a whole. */
function flatten(value: unknown, path: readonly string[] = []): Map<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return new Map(value === undefined ? [] : [[path.join('.'), JSON.stringify(value)]]);
  }
  return new Map(Object.entries(value).flatMap(([key, child]) => [...flatten(child, [...path, key])]));
}
