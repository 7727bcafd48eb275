import type { TensorFile } from '../bundle/tensor-file.js';
import { latestOf } from '../domain/history.js';
import { selectTopK } from '../domain/top-k.js';
import { createArtefactReader, isCount } from './artefact-reader.js';
import type { CandidateSource } from './candidate-source.js';

/**
 * Item-to-item weights, by the item they start from: row i holds the items that i speaks for (or against), with the weight
 * of its word. For `similar-items` these are similarities: each target item keeps its own k most similar items; rows are
 * the transpose of that, because serving walks from the items of a history to their targets. So a row may be shorter or
 * longer than k.
 */
export interface NeighbourLists {
  /** `offsets[i] .. offsets[i + 1]` are the entries of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Item indexes, ascending within a row. */
  readonly neighbours: Int32Array;
  /** Not 0. */
  readonly similarities: Float32Array;
}

/** How the items of a history are asked for their neighbours. */
export interface HistoryWeighting {
  /** Only the latest so many items. */
  readonly lastItems: number;
  /** p: an item that was followed by n others weighs (1 + n)^−p; 0 lets all weigh alike. */
  readonly recencyExponent: number;
}

/**
 * Candidates by item-to-item weights: the score of an item is the sum of what the user's latest items say of it, later
 * ones louder. Only items with a positive score are retrieved.
 */
export function createSimilarItemsSource(
  name: string,
  lists: NeighbourLists,
  weighting: HistoryWeighting,
): CandidateSource {
  return {
    name,
    retrieve: ({ history, eligible, limit }) => {
      const latest = latestOf(history, weighting.lastItems).items;
      const weights = weighByRecency(latest.length, weighting.recencyExponent);
      // Its own array per request: to score 300 candidates one by one from the lists costs more with a long history.
      const scores = sumSimilarities(lists, { items: latest, weights });
      return {
        source: name,
        ...selectTopK(scores, { limit, eligible, floor: 0 }),
        scoreOf: (item) => scores[item]!,
      };
    },
  };
}

/**
 * The bundle's form of neighbour lists and of how each source that serves from them asks a history.
 * @param weightings by the name of the source
 */
export function similarItemsToTensors(
  lists: NeighbourLists,
  weightings: Readonly<Record<string, HistoryWeighting>>,
): TensorFile {
  const { offsets, neighbours, similarities } = lists;
  const settings = Object.entries(weightings).flatMap(([name, { lastItems, recencyExponent }]) => [
    [`${name}.lastItems`, String(lastItems)],
    [`${name}.recencyExponent`, String(recencyExponent)],
  ]);
  return {
    tensors: new Map([
      ['offsets', { shape: [offsets.length], data: offsets }],
      ['neighbours', { shape: [neighbours.length], data: neighbours }],
      ['similarities', { shape: [similarities.length], data: similarities }],
    ]),
    metadata: Object.fromEntries(settings) as Record<string, string>,
  };
}

/**
 * @param options.name the source that is to serve from the artefact
 * @throws ShortlistError INVALID_BUNDLE naming all that does not fit a catalogue of `itemCount` items
 */
export function parseSimilarItems(
  artefact: TensorFile,
  options: { name: string; itemCount: number },
): { lists: NeighbourLists; weighting: HistoryWeighting } {
  const { name, itemCount } = options;
  const reader = createArtefactReader(name, artefact);
  const lists: NeighbourLists = {
    offsets: reader.uint32('offsets', [itemCount + 1]),
    neighbours: reader.int32('neighbours', [null]),
    similarities: reader.float32('similarities', [null]),
  };
  const weighting: HistoryWeighting = {
    lastItems: reader.number(`${name}.lastItems`, isCount, 'a whole number above 0'),
    recencyExponent: reader.number(`${name}.recencyExponent`, (value) => value >= 0, '0 or more'),
  };
  if (reader.isSound()) for (const problem of findListProblems(lists)) reader.report(problem);
  reader.finish();
  return { lists, weighting };
}

/** Items of a history, oldest first, and how much each one's word weighs. */
interface WeighedItems {
  readonly items: Int32Array;
  readonly weights: Float64Array;
}

/** Weights of `count` items, oldest first. */
function weighByRecency(count: number, exponent: number): Float64Array {
  return Float64Array.from({ length: count }, (_, position) => (count - position) ** -exponent);
}

/** The score of every item. */
function sumSimilarities(lists: NeighbourLists, { items, weights }: WeighedItems): Float32Array {
  const { offsets, neighbours, similarities } = lists;
  const scores = new Float32Array(offsets.length - 1);
  for (let position = 0; position < items.length; position++) {
    const weight = weights[position]!;
    const end = offsets[items[position]! + 1]!;
    for (let entry = offsets[items[position]!]!; entry < end; entry++)
      scores[neighbours[entry]!]! += weight * similarities[entry]!;
  }
  return scores;
}

function findListProblems({ offsets, neighbours, similarities }: NeighbourLists): string[] {
  const problems: string[] = [];
  const itemCount = offsets.length - 1;
  const drop = offsets.findIndex((offset, row) => row > 0 && offset < offsets[row - 1]!);
  if (offsets[0] !== 0) problems.push(`offsets: start at ${offsets[0]}, expected 0`);
  if (drop !== -1) problems.push(`offsets: fall from ${offsets[drop - 1]} to ${offsets[drop]} at ${drop}`);
  if (offsets[itemCount] !== neighbours.length) {
    problems.push(`neighbours: ${neighbours.length} entries, but the offsets end at ${offsets[itemCount]}`);
  }
  if (similarities.length !== neighbours.length) {
    problems.push(`similarities: ${similarities.length} entries for ${neighbours.length} neighbours`);
  }
  const outside = neighbours.find((item) => item < 0 || item >= itemCount);
  if (outside !== undefined) problems.push(`neighbours: item ${outside} is not one of ${itemCount} items`);
  const unsorted = problems.length === 0 ? findUnsortedRow(offsets, neighbours) : -1;
  if (unsorted !== -1) problems.push(`neighbours: the row of item ${unsorted} is not ascending`);
  const zero = similarities.indexOf(0);
  if (zero !== -1) problems.push(`similarities: entry ${zero} is 0, which says nothing`);
  return problems;
}

function findUnsortedRow(offsets: Uint32Array, neighbours: Int32Array): number {
  for (let row = 0; row + 1 < offsets.length; row++) {
    for (let entry = offsets[row]! + 1; entry < offsets[row + 1]!; entry++) {
      if (neighbours[entry]! <= neighbours[entry - 1]!) return row;
    }
  }
  return -1;
}
