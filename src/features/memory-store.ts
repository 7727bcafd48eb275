import { type FeatureStore, VALUE_STATUS } from './feature-store.js';
import type { FeatureTable } from './feature-table.js';

/** Serves a view from its columns in memory. Its values have no time of their own: none of them is ever STALE. */
export function createMemoryStore(table: FeatureTable): FeatureStore {
  const { view, entities, columns } = table;
  const width = view.fields.length;
  const defaults = Float32Array.from(view.fields, (field) => field.default);
  // A column that has every value needs no look at its bits.
  const defaulted = table.defaulted.map((rows) => (rows.size === 0 ? undefined : rows.bytes));
  const { PRESENT, DEFAULTED, UNKNOWN_ENTITY } = VALUE_STATUS;
  let indexes = new Int32Array(256);

  return {
    view,
    getMany: (ids, { values, statuses }) => {
      const count = ids.length;
      if (count > indexes.length) indexes = new Int32Array(2 * count);
      for (let row = 0; row < count; row++) indexes[row] = entities.find(ids[row]!);
      statuses.fill(PRESENT, 0, count * width);
      // Column by column: the loads of one column are independent of each other, so the processor overlaps their misses.
      for (let field = 0; field < width; field++) {
        const column = columns[field]!;
        const bits = defaulted[field];
        for (let row = 0, at = field; row < count; row++, at += width) {
          const index = indexes[row]!;
          if (index < 0) {
            values[at] = defaults[field]!;
            statuses[at] = UNKNOWN_ENTITY;
            continue;
          }
          values[at] = column[index]!;
          if (bits !== undefined && (bits[index >> 3]! & (1 << (index & 7))) !== 0) statuses[at] = DEFAULTED;
        }
      }
    },
    close: async () => undefined,
  };
}
