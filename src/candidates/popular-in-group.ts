import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, findOffsetProblems } from '../bundle/tensor-reader.js';
import type { Retrieval } from '../domain/candidate.js';
import { selectTopK } from '../domain/top-k.js';
import type { CandidateSource } from './candidate-source.js';
import type { TrainedSource } from './source-definition.js';

/**
 * The items that the users of each group take most; a group is the users who share one value of one
 * attribute.
 */
export interface GroupPopularity {
  readonly itemCount: number;
  /** `userOffsets[u] .. userOffsets[u + 1]` are the entries of user index u in `userGroups`; length users + 1. */
  readonly userOffsets: Uint32Array;
  /** Group per entry: one for each attribute of which the user has a value that enough users share. */
  readonly userGroups: Int32Array;
  /** `groupOffsets[g] .. groupOffsets[g + 1]` are the entries of group g in `items` and `scores`; length groups + 1. */
  readonly groupOffsets: Uint32Array;
  /** Item indexes, each once in a group. */
  readonly items: Int32Array;
  /** Smoothed share of the group's users who took the item, above 0. */
  readonly scores: Float32Array;
}

const NAME = 'popular-in-group';

const NOTHING: Retrieval = {
  source: NAME,
  items: new Int32Array(0),
  scores: new Float32Array(0),
  scoreOf: () => 0,
};

/** How `popular-in-group` is opened. */
export const POPULAR_IN_GROUP = {
  file: 'candidates/popular-in-group.safetensors',
  open: (artefact, options) => createPopularInGroupSource(parsePopularInGroup(artefact, options)),
} as const satisfies TrainedSource;

/**
 * Candidates by what users like this one take most: an item scores the mean of its scores in the user's groups, 0 in a group
 * that does not list it. Users whom training did not know are in no group, and nothing is retrieved for them.
 */
export function createPopularInGroupSource(model: GroupPopularity): CandidateSource {
  return {
    name: NAME,
    retrieve: ({ userIndex, eligible, limit }) => {
      const groups = groupsOf(model, userIndex);
      if (groups.length === 0) return NOTHING;
      const means = averageScores(model, groups);
      const items = Int32Array.from(means.keys()).sort();
      const open = Uint8Array.from(items, (item) => eligible[item]!);
      const scores = Float32Array.from(items, (item) => means.get(item)!);
      const best = selectTopK(scores, { limit, eligible: open });
      return {
        source: NAME,
        items: best.items.map((place) => items[place]!),
        scores: best.scores,
        scoreOf: (item) => Math.fround(means.get(item) ?? 0),
      };
    },
  };
}

/** The bundle's form of a model. */
export function popularInGroupToTensors({ itemCount, ...parts }: GroupPopularity): TensorFile {
  return {
    tensors: new Map(
      Object.entries(parts).map(([name, data]) => [name, { shape: [data.length], data }] as const),
    ),
    metadata: { itemCount: String(itemCount) },
  };
}

/** @throws ShortlistError INVALID_BUNDLE naming all that does not fit a catalogue of `itemCount` items */
export function parsePopularInGroup(
  artefact: TensorFile,
  { itemCount }: { itemCount: number },
): GroupPopularity {
  const reader = createTensorReader(NAME, artefact);
  const model: GroupPopularity = {
    itemCount: reader.number('itemCount', (value) => value === itemCount, String(itemCount)),
    userOffsets: reader.uint32('userOffsets', [null]),
    userGroups: reader.int32('userGroups', [null]),
    groupOffsets: reader.uint32('groupOffsets', [null]),
    items: reader.int32('items', [null]),
    scores: reader.float32('scores', [null]),
  };
  if (reader.isSound()) for (const problem of findProblems(model)) reader.report(problem);
  reader.finish();
  return model;
}

function groupsOf({ userOffsets, userGroups }: GroupPopularity, user: number | undefined): Int32Array {
  if (user === undefined || user + 1 >= userOffsets.length) return new Int32Array(0);
  return userGroups.subarray(userOffsets[user], userOffsets[user + 1]);
}

function averageScores(model: GroupPopularity, groups: Int32Array): Map<number, number> {
  const { groupOffsets, items, scores } = model;
  const means = new Map<number, number>();
  for (const group of groups) {
    for (let entry = groupOffsets[group]!; entry < groupOffsets[group + 1]!; entry++) {
      const item = items[entry]!;
      means.set(item, (means.get(item) ?? 0) + scores[entry]! / groups.length);
    }
  }
  return means;
}

function findProblems(model: GroupPopularity): string[] {
  const { itemCount, userOffsets, userGroups, groupOffsets, items, scores } = model;
  const groupCount = groupOffsets.length - 1;
  const within = (values: Int32Array, count: number): boolean =>
    values.every((value) => value >= 0 && value < count);
  return [
    ...findOffsetProblems('userOffsets', userOffsets, userGroups.length),
    ...findOffsetProblems('groupOffsets', groupOffsets, items.length),
    ...(scores.length === items.length ? [] : [`scores: ${scores.length} for ${items.length} items`]),
    ...(within(userGroups, groupCount) ? [] : [`userGroups: not all are below ${groupCount}`]),
    ...(within(items, itemCount) ? [] : [`items: not all are below ${itemCount}`]),
  ];
}
