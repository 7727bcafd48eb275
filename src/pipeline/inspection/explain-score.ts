import { hasTrait } from '../../domain/errors.js';
import { orderByScore } from '../../domain/top-k.js';
import { VALUE_STATUS } from '../../features/feature-store.js';
import { listViewInputs } from '../../features/groups/view-features.js';
import {
  computeContributions,
  type ColumnGroup,
  type Contributions,
  joinGroups,
} from '../../ranking/group-contributions.js';
import type { Engine } from '../engine.js';
import { createUnknownUser, createUserReading } from '../read-user-rows.js';
import type { Prefetched } from '../execution.js';
import type { StageResults } from '../stage-results.js';
import type { GroupContributions, InspectedFeature } from './inspection.js';

/** Says what the ranker read of candidates, and what that gave to their scores. */
export interface ScoreExplanation {
  /** @param row of the candidate set */
  featuresOf(row: number): Readonly<Record<string, InspectedFeature>>;
  /** Undefined where there are none, for the reason that `obstacle` then gives. */
  contributionsOf(row: number): Promise<GroupContributions | undefined>;
  obstacle(): string | undefined;
}

/** How scores are explained. */
export interface ExplainOptions {
  readonly engine: Engine;
  readonly prefetched: Prefetched | undefined;
}

/**
 * Explains the scores of a ranker.
 * @returns undefined where no ranker scored the candidates
 */
export async function explainScores(
  results: StageResults,
  options: ExplainOptions,
): Promise<ScoreExplanation | undefined> {
  const { matrix, scores } = results.ranked;
  if (matrix === undefined || matrix.rows === 0) return undefined;
  const { engine } = options;
  const { featureOrder } = engine.assembler;
  const { data, columns } = matrix;
  const rowOf = (row: number): Float32Array => data.subarray(row * columns, (row + 1) * columns);
  const statuses = await readStatuses(results, options);
  const typical = findTypicalRanges(engine);
  const categories = findCategories(engine);
  const { groups, joined } = joinGroups(listColumnGroups(engine));
  const groupOf = new Map(groups.flatMap(({ name, columns: own }) => own.map((column) => [column, name])));
  const baseline = rowOf(findMedianRow(scores));
  const known = new Map<number, GroupContributions>();
  let obstacle = engine.manifest.ranker.rows === 'together' ? TOGETHER : undefined;
  return {
    obstacle: () => obstacle,
    featuresOf: (row) =>
      Object.fromEntries(
        featureOrder.map((name, column): [string, InspectedFeature] => {
          const value = rowOf(row)[column]!;
          const dictionary = categories.get(name);
          const label = dictionary?.[value];
          const range = dictionary === undefined ? typical.get(name) : undefined;
          const status = STATUS_NAMES[statuses[row * columns + column]!]!;
          const group = groupOf.get(column)!;
          return [
            name,
            { group, value, status, ...(label !== undefined && { label }), ...(range && { typical: range }) },
          ];
        }),
      ),
    contributionsOf: async (row) => {
      const found = known.get(row);
      if (found !== undefined || obstacle !== undefined) return found;
      try {
        const computed = await computeContributions(rowOf(row), baseline, {
          groups,
          ranker: engine.ranker,
        });
        const named = nameContributions(computed, groups, joined);
        known.set(row, named);
        return named;
      } catch (error) {
        if (!hasTrait(error, 'stageFallback')) throw error;
        obstacle = `The ranker failed at the rows that take scores apart: ${(error as Error).message}`;
        return undefined;
      }
    },
  };
}

const TOGETHER = 'The ranker looks at all candidates together: a score cannot be taken apart by itself.';

const STATUS_NAMES = Object.entries(VALUE_STATUS)
  .toSorted(([, a], [, b]) => a - b)
  .map(([name]) => name);

/** The candidate in the middle of the ranking; of two in the middle the lower one. */
function findMedianRow(scores: Float32Array): number {
  return orderByScore(scores)[Math.floor(scores.length / 2)]!;
}

function listColumnGroups({ assembler: { groups, featureOrder } }: Engine): ColumnGroup[] {
  const columnOf = new Map(featureOrder.map((name, column) => [name, column]));
  return groups.map(({ name, features }) => ({
    name,
    columns: features.flatMap((feature) => columnOf.get(feature) ?? []),
  }));
}

function nameContributions(
  { baseline, score, values }: Contributions,
  groups: readonly ColumnGroup[],
  joined: readonly string[],
): GroupContributions {
  return {
    baseline,
    score,
    groups: Object.fromEntries(groups.map(({ name }, index) => [name, values[index]!])),
    ...(joined.length > 0 && { joined }),
  };
}

/** Where the values of the matrix come from; rows of users are read as the request read them. */
async function readStatuses(
  { query, candidates }: StageResults,
  { engine, prefetched }: ExplainOptions,
): Promise<Uint8Array> {
  const reading = createUserReading(query.subject, engine, prefetched?.userRows);
  const read = await reading.rows();
  const userRows = read.failure === undefined ? read.rows : createUnknownUser(engine).rows;
  return engine.assembler.readStatuses({
    candidates,
    history: query.history,
    typed: query.typed,
    userRows,
    now: engine.knownUntil,
    context: query.context,
    reading: { now: engine.clock(), tolerant: true },
  });
}

/** The values of each category that the ranker reads, by code. */
function findCategories({ manifest: { views } }: Engine): ReadonlyMap<string, readonly string[]> {
  const named = Object.values(views).flatMap((view) =>
    listViewInputs(view).map(({ name, field }) => [name, view.fields[field]!.dictionary] as const),
  );
  return new Map(
    named.flatMap(([name, dictionary]) => (dictionary === undefined ? [] : [[name, dictionary]])),
  );
}

/** From this to that share of the values of training is typical. */
const TYPICAL_SHARES = [0.05, 0.95] as const;

function findTypicalRanges({ manifest: { reference } }: Engine): ReadonlyMap<string, [number, number]> {
  const ranges = new Map<string, [number, number]>();
  for (const [name, { bounds, shares }] of Object.entries(reference?.features ?? {})) {
    const [first, last] = TYPICAL_SHARES.map((share) => findBound(bounds, shares, share));
    if (first !== undefined && last !== undefined) ranges.set(name, [first, last]);
  }
  return ranges;
}

/** The bound nearest to the value below which so large a share of the values lies. */
function findBound(bounds: readonly number[], shares: readonly number[], share: number): number | undefined {
  let below = 0;
  let best: number | undefined;
  let nearest = Number.POSITIVE_INFINITY;
  bounds.forEach((bound, bin) => {
    below += shares[bin] ?? 0;
    if (Math.abs(below - share) >= nearest) return;
    nearest = Math.abs(below - share);
    best = bound;
  });
  return best;
}
