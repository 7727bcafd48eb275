import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, findOffsetProblems } from '../bundle/tensor-reader.js';
import type { History } from '../domain/history.js';
import type { CandidateSource } from './candidate-source.js';
import type { TrainedSource } from './source-definition.js';
import { selectTopK } from '../domain/top-k.js';

/** Items by what their attributes say. Each value of each attribute has a number; those of one attribute stand together. */
export interface AttributeModel {
  /** `offsets[i] .. offsets[i + 1]` are the entries of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Value per entry. */
  readonly values: Int32Array;
  /** What an entry counts: 1 / how many values the item has of that attribute. */
  readonly shares: Float32Array;
  /** `attributes[a] .. attributes[a + 1]` are the values of attribute a. */
  readonly attributes: Uint32Array;
  /** Per value: its share of all interactions, above 0; those of one attribute sum to 1. */
  readonly taken: Float32Array;
  /** Per value: its share of the catalogue, above 0; those of one attribute sum to 1. */
  readonly offered: Float32Array;
  /** Indexes of the items that nobody has touched, ascending. */
  readonly untouched: Int32Array;
  /** How many interactions of everybody stand beside a user's own: their taste is drawn towards what all take. */
  readonly priorInteractions: number;
}

/** How `fresh` is opened. */
export const FRESH = {
  file: 'candidates/fresh.safetensors',
  open: (artefact, options) => createFreshSource(parseFresh(artefact, options)),
} as const satisfies TrainedSource;

/**
 * Candidates that nobody has touched yet, by how well their attributes fit: naive Bayes over attribute values. With P(v) an
 * attribute's values as the user (drawn towards everybody) takes them and Q(v) as the catalogue offers them, an item
 * scores Σ over its values of share · log(P(v) / Q(v)). Only untouched items are retrieved; any item can be scored.
 */
export function createFreshSource(model: AttributeModel): CandidateSource {
  const { untouched } = model;
  const scores = new Float32Array(untouched.length);
  const open = new Uint8Array(untouched.length);

  return {
    name: 'fresh',
    retrieve: ({ history, eligible, limit }) => {
      const worth = weighValues(model, history);
      untouched.forEach((item, place) => {
        open[place] = eligible[item]!;
        scores[place] = open[place] === 0 ? 0 : scoreItem(model, worth, item);
      });
      const best = selectTopK(scores, { limit, eligible: open });
      return {
        source: 'fresh',
        items: best.items.map((place) => untouched[place]!),
        scores: best.scores,
        scoreOf: (item) => scoreItem(model, worth, item),
      };
    },
  };
}

/** The bundle's form of a model. */
export function freshToTensors(model: AttributeModel): TensorFile {
  const { offsets, values, shares, attributes, taken, offered, untouched } = model;
  const parts = { offsets, values, shares, attributes, taken, offered, untouched };
  return {
    tensors: new Map(
      Object.entries(parts).map(([name, data]) => [name, { shape: [data.length], data }] as const),
    ),
    metadata: { priorInteractions: String(model.priorInteractions) },
  };
}

/** @throws ShortlistError INVALID_BUNDLE naming all that does not fit a catalogue of `itemCount` items */
export function parseFresh(artefact: TensorFile, { itemCount }: { itemCount: number }): AttributeModel {
  const reader = createTensorReader('fresh', artefact);
  const model: AttributeModel = {
    offsets: reader.uint32('offsets', [itemCount + 1]),
    values: reader.int32('values', [null]),
    shares: reader.float32('shares', [null]),
    attributes: reader.uint32('attributes', [null]),
    taken: reader.float32('taken', [null]),
    offered: reader.float32('offered', [null]),
    untouched: reader.int32('untouched', [null]),
    priorInteractions: reader.number('priorInteractions', (value) => value > 0, 'above 0'),
  };
  if (reader.isSound()) for (const problem of findProblems(model, itemCount)) reader.report(problem);
  reader.finish();
  return model;
}

/** log(P(v) / Q(v)) per value. */
function weighValues(model: AttributeModel, history: History): Float64Array {
  const { offsets, values, shares, attributes, taken, offered, priorInteractions } = model;
  const counts = Float64Array.from(taken, (share) => share * priorInteractions);
  for (const item of history.items) {
    const end = offsets[item + 1]!;
    for (let entry = offsets[item]!; entry < end; entry++) counts[values[entry]!]! += shares[entry]!;
  }
  for (let attribute = 0; attribute + 1 < attributes.length; attribute++) {
    const own = counts.subarray(attributes[attribute], attributes[attribute + 1]);
    const total = own.reduce((sum, count) => sum + count, 0);
    own.forEach((count, at) => (own[at] = Math.log(count / total / offered[attributes[attribute]! + at]!)));
  }
  return counts;
}

function scoreItem({ offsets, values, shares }: AttributeModel, worth: Float64Array, item: number): number {
  let sum = 0;
  const end = offsets[item + 1]!;
  for (let entry = offsets[item]!; entry < end; entry++) sum += shares[entry]! * worth[values[entry]!]!;
  return Math.fround(sum);
}

function findProblems(model: AttributeModel, itemCount: number): string[] {
  const { offsets, values, shares, attributes, taken, offered, untouched } = model;
  const valueCount = taken.length;
  return [
    ...findOffsetProblems('offsets', offsets, values.length),
    ...findOffsetProblems('attributes', attributes, valueCount),
    ...(shares.length === values.length ? [] : [`shares: ${shares.length} for ${values.length} entries`]),
    ...(offered.length === valueCount ? [] : [`offered: ${offered.length} for ${valueCount} values`]),
    ...(values.every((value) => value >= 0 && value < valueCount)
      ? []
      : [`values: not all are below ${valueCount}`]),
    ...(untouched.every((item, at) => item < itemCount && item > (at === 0 ? -1 : untouched[at - 1]!))
      ? []
      : [`untouched: not ascending item indexes below ${itemCount}`]),
    ...([taken, offered].every((list) => list.every((share) => share > 0))
      ? []
      : ['taken, offered: not all above 0']),
  ];
}
