/**
 * The entities of one kind (items or users) in a fixed order: index ↔ raw id.
 * Everything inside Shortlist speaks of entities by index; raw ids appear only at the edges.
 */
export class IdIndex {
  readonly ids: readonly string[];
  readonly #indexOf: Map<string, number>;

  /** @throws {RangeError} when an id occurs twice, naming it. */
  constructor(ids: readonly string[]) {
    this.ids = ids;
    this.#indexOf = new Map(ids.map((id, index) => [id, index]));
    if (this.#indexOf.size !== ids.length) throw new RangeError(`duplicate id ${firstDuplicate(ids)}`);
  }

  get size(): number {
    return this.ids.length;
  }

  /** The index of a raw id, or -1 when the id is unknown. */
  find(id: string): number {
    return this.#indexOf.get(id) ?? -1;
  }

  /** The raw id at an index that this index gave out. */
  idAt(index: number): string {
    const id = this.ids[index];
    if (id === undefined) throw new RangeError(`no id at index ${index} of ${this.ids.length}`);
    return id;
  }
}

/**
 * Raw ids in catalogue order: numeric when every id is a whole number without leading zeros, else by code unit.
 * Ties between equal scores are broken by this order, in evaluation and in serving.
 */
export function sortRawIds(ids: Iterable<string>): string[] {
  const sorted = [...ids];
  const numeric = sorted.every((id) => /^(0|[1-9]\d{0,14})$/.test(id));
  return numeric
    ? sorted.sort((a, b) => Number(a) - Number(b))
    : sorted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function firstDuplicate(ids: readonly string[]): string {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size) ?? '';
}
