import { IdIndex, sortRawIds } from '../../../src/domain/id-index.js';
import type { InteractionTable } from '../../../src/domain/interactions.js';
import { judgeTimes } from '../../../src/domain/time-facts.js';

export const DAY = 86_400;

/** One interaction: raw user id, raw item id, day. */
export type Row = readonly [user: string, item: string, day: number];

/** A table of the rows, ordered as a prepared one is. */
export function makeTable(rows: readonly Row[]): InteractionTable {
  const users = new IdIndex(sortRawIds(new Set(rows.map(([user]) => user))));
  const items = new IdIndex(sortRawIds(new Set(rows.map(([, item]) => item))));
  const sorted = rows
    .map(([user, item, day]) => ({ user: users.find(user), item: items.find(item), time: day * DAY }))
    .sort((a, b) => a.user - b.user || a.time - b.time);
  const user = Int32Array.from(sorted, (row) => row.user);
  const timestamp = Float64Array.from(sorted, (row) => row.time);
  return {
    users,
    items,
    user,
    item: Int32Array.from(sorted, (row) => row.item),
    timestamp,
    times: judgeTimes({ user, timestamp }),
    value: new Float32Array(sorted.length).fill(1),
  };
}
