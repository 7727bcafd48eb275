import { codeValues, type AttributeColumn, type Catalogue } from '../../src/domain/catalogue.js';
import type { CandidateSet, Retrieval } from '../../src/domain/candidate.js';
import type { History } from '../../src/domain/history.js';
import { IdIndex } from '../../src/domain/id-index.js';
import type { InteractionTable } from '../../src/domain/interactions.js';
import { judgeTimes } from '../../src/domain/time-facts.js';

/** Five films with a title, genres, a year (one unknown), a colour flag and a country. */
export function smallCatalogue(): Catalogue {
  return {
    entities: new IdIndex(['a', 'b', 'c', 'd', 'e']),
    attributes: [
      attribute('title', 'text', ['Alpha', 'Beta', 'Gamma', 'Delta', 'Epsilon']),
      attribute('genres', 'multi-valued', [
        ['Drama'],
        ['Drama', 'War'],
        ['Comedy'],
        undefined,
        ['Comedy', 'War'],
      ]),
      attribute('year', 'numeric', [1990, 1995, 2000, undefined, 2010]),
      attribute('colour', 'boolean', [false, true, true, undefined, true]),
      attribute('country', 'categorical', ['fr', 'uk', 'fr', undefined, 'us']),
    ],
  };
}

export function attribute(
  name: string,
  role: AttributeColumn['role'],
  values: AttributeColumn['values'],
): AttributeColumn {
  const coded = role === 'numeric' || role === 'text' ? {} : { coded: codeValues(values) };
  const feature = role !== 'text';
  return { name, role, values, ...coded, shown: name !== 'colour', filterable: name !== 'title', feature };
}

export function history(
  items: number[],
  options: { timestamps?: number[]; values?: number[] } = {},
): History {
  return {
    items: Int32Array.from(items),
    timestamps: Float64Array.from(options.timestamps ?? items.map((_, index) => index)),
    values: Float32Array.from(options.values ?? items.map(() => 1)),
  };
}

/** Rows of [user index, item index, Unix seconds, value], in any order within a user's time. */
export function interactionTable(
  rows: [user: number, item: number, timestamp: number, value?: number][],
  options: { users: number; items: IdIndex },
): InteractionTable {
  const sorted = rows.toSorted((a, b) => a[0] - b[0] || a[2] - b[2]);
  const user = Int32Array.from(sorted, (row) => row[0]);
  const timestamp = Float64Array.from(sorted, (row) => row[2]);
  return {
    users: new IdIndex(Array.from({ length: options.users }, (_, user) => `u${user}`)),
    items: options.items,
    user,
    item: Int32Array.from(sorted, (row) => row[1]),
    timestamp,
    times: judgeTimes({ user, timestamp }),
    value: Float32Array.from(sorted, (row) => row[3] ?? 1),
  };
}

export function retrieval(source: string, scored: [item: number, score: number][]): Retrieval {
  const scores = new Map(scored);
  return {
    source,
    items: Int32Array.from(scored, ([item]) => item),
    scores: Float32Array.from(scored, ([, score]) => score),
    scoreOf: (item) => scores.get(item) ?? 0,
  };
}

/** A candidate set in the order given, with ranks as the retrievals have them. */
export function candidateSet(items: number[], retrievals: Retrieval[]): CandidateSet {
  return {
    items: Int32Array.from(items),
    fusionScores: Float32Array.from(items, (_, index) => 1 / (61 + index)),
    retrievals,
    ranks: Int32Array.from(
      items.flatMap((item) => retrievals.map(({ items: list }) => list.indexOf(item) + 1)),
    ),
  };
}
