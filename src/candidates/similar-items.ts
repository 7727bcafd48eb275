import type { TensorFile } from '../bundle/tensor-file.js';
import { latestOf } from '../domain/history.js';
import { selectTopK } from '../domain/top-k.js';
import { createArtefactReader, isCount } from './artefact-reader.js';
import type { CandidateSource } from './candidate-source.js';

/**
 * Item-to-item similarities, by the item they start from: row i holds each item that has i among its most similar ones,
 * with that similarity. (Each target item keeps its own k most similar items; rows are the transpose of that, because
 * serving walks from the items of a history to their targets. So a row may be shorter or longer than k.)
 */
export interface NeighbourLists {
  /** `offsets[i] .. offsets[i + 1]` are the entries of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Item indexes, ascending within a row. */
  readonly neighbours: Int32Array;
  /** Above 0. */
  readonly similarities: Float32Array;
}

export const DEFAULT_LAST_ITEMS = 10;

/**
 * Candidates by item-to-item similarity: the score of an item is the sum of its similarities to the user's latest
 * `lastItems` items (default 10), each counting alike. Only items with a positive score are retrieved.
 */
export function createSimilarItemsSource(
  lists: NeighbourLists,
  options: { lastItems?: number } = {},
): CandidateSource {
  const { lastItems = DEFAULT_LAST_ITEMS } = options;
  // Scratch, overwritten by each retrieval: what a retrieval hands out is a copy or computed from the lists.
  const scores = new Float32Array(lists.offsets.length - 1);

  return {
    name: 'similar-items',
    retrieve: ({ history, eligible, limit }) => {
      const latest = latestOf(history, lastItems).items;
      sumSimilarities(lists, latest, scores);
      return {
        source: 'similar-items',
        ...selectTopK(scores, { limit, eligible, floor: 0 }),
        scoreOf: (item) => sumSimilaritiesTo(item, lists, latest),
      };
    },
  };
}

/** The bundle's form of neighbour lists and of how many items of a history they are used with. */
export function similarItemsToTensors(
  lists: NeighbourLists,
  options: { lastItems?: number } = {},
): TensorFile {
  const { offsets, neighbours, similarities } = lists;
  return {
    tensors: new Map([
      ['offsets', { shape: [offsets.length], data: offsets }],
      ['neighbours', { shape: [neighbours.length], data: neighbours }],
      ['similarities', { shape: [similarities.length], data: similarities }],
    ]),
    metadata: { lastItems: String(options.lastItems ?? DEFAULT_LAST_ITEMS) },
  };
}

/** @throws ShortlistError INVALID_BUNDLE naming all that does not fit a catalogue of `itemCount` items. */
export function parseSimilarItems(
  artefact: TensorFile,
  options: { itemCount: number },
): { lists: NeighbourLists; lastItems: number } {
  const reader = createArtefactReader('similar-items', artefact);
  const lists: NeighbourLists = {
    offsets: reader.uint32('offsets', [options.itemCount + 1]),
    neighbours: reader.int32('neighbours', [null]),
    similarities: reader.float32('similarities', [null]),
  };
  const lastItems = reader.number('lastItems', isCount, 'a whole number above 0');
  if (reader.isSound()) for (const problem of findListProblems(lists)) reader.report(problem);
  reader.finish();
  return { lists, lastItems };
}

function sumSimilarities(lists: NeighbourLists, historyItems: Int32Array, scores: Float32Array): void {
  const { offsets, neighbours, similarities } = lists;
  scores.fill(0);
  for (const item of historyItems) {
    const end = offsets[item + 1]!;
    for (let entry = offsets[item]!; entry < end; entry++)
      scores[neighbours[entry]!]! += similarities[entry]!;
  }
}

/** One item's score without the scores of all others; rounds after each addition as `sumSimilarities` does. */
function sumSimilaritiesTo(target: number, lists: NeighbourLists, historyItems: Int32Array): number {
  let sum = 0;
  for (const item of historyItems) {
    const entry = findEntry(lists, item, target);
    if (entry !== -1) sum = Math.fround(sum + lists.similarities[entry]!);
  }
  return sum;
}

/** Where a target stands in an item's row, or -1. */
function findEntry(lists: NeighbourLists, item: number, target: number): number {
  let low = lists.offsets[item]!;
  let high = lists.offsets[item + 1]!;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lists.neighbours[middle]! < target) low = middle + 1;
    else high = middle;
  }
  return low < lists.offsets[item + 1]! && lists.neighbours[low] === target ? low : -1;
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
  const notPositive = similarities.find((similarity) => similarity <= 0);
  if (notPositive !== undefined) problems.push(`similarities: ${notPositive} is not above 0`);
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
