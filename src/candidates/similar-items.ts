import type { TensorFile } from '../bundle/tensor-file.js';
import { createTensorReader, isCount } from '../bundle/tensor-reader.js';
import { latestOf } from '../domain/history.js';
import type { ItemLinks } from '../domain/item-links.js';
import { selectTopK } from '../domain/top-k.js';
import { itemLinksToTensors, readItemLinks } from '../features/read-item-links.js';
import type { CandidateSource } from './candidate-source.js';
import type { TrainedSource } from './source-definition.js';

/** Weights by which the items of a history are asked for their neighbours. */
export interface HistoryWeighting {
  /** Only the latest so many items. */
  readonly lastItems: number;
  /** p: an item that was followed by n others weighs (1 + n)^−p; 0 lets all weigh alike. */
  readonly recencyExponent: number;
}

const EASE_FILE = 'candidates/ease.safetensors';

/** Opens `similar-items`. */
export const SIMILAR_ITEMS = {
  file: 'candidates/similar-items.safetensors',
  open: (artefact, { itemCount }) => openFromLinks('similar-items', artefact, itemCount),
} as const satisfies TrainedSource;

/** Opens `ease`. */
export const EASE = {
  file: EASE_FILE,
  open: (artefact, { itemCount }) => openFromLinks('ease', artefact, itemCount),
} as const satisfies TrainedSource;

/** Opens `ease-recent`, which reads the weights of `ease`. */
export const EASE_RECENT = {
  file: EASE_FILE,
  open: (artefact, { itemCount }) => openFromLinks('ease-recent', artefact, itemCount),
} as const satisfies TrainedSource;

function openFromLinks(name: string, artefact: TensorFile, itemCount: number): CandidateSource {
  const { links, weighting } = parseSimilarItems(artefact, { name, itemCount });
  return createSimilarItemsSource(name, links, weighting);
}

/**
 * Candidates by item-to-item weights: the score of an item is the sum of what the user's latest items say of it, later
 * ones louder. Only items with a positive score are retrieved.
 */
export function createSimilarItemsSource(
  name: string,
  links: ItemLinks,
  weighting: HistoryWeighting,
): CandidateSource {
  const weights = weighByRecency(weighting);
  return {
    name,
    retrieve: ({ history, eligible, limit }) => {
      const latest = latestOf(history, weighting.lastItems).items;
      // Its own array per request: to score 300 candidates one by one from the links costs more with a long history.
      const scores = sumSimilarities(links, latest, weights);
      return {
        source: name,
        ...selectTopK(scores, { limit, eligible, floor: 0 }),
        scoreOf: (item) => scores[item]!,
      };
    },
  };
}

/**
 * The bundle's form of item links and of how each source that serves from them asks a history.
 * @param weightings by the name of the source
 */
export function similarItemsToTensors(
  links: ItemLinks,
  weightings: Readonly<Record<string, HistoryWeighting>>,
): TensorFile {
  const settings = Object.entries(weightings).flatMap(([name, { lastItems, recencyExponent }]) => [
    [`${name}.lastItems`, String(lastItems)],
    [`${name}.recencyExponent`, String(recencyExponent)],
  ]);
  return {
    tensors: itemLinksToTensors(links).tensors,
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
): { links: ItemLinks; weighting: HistoryWeighting } {
  const { name, itemCount } = options;
  const reader = createTensorReader(name, artefact);
  const links = readItemLinks(reader, itemCount);
  const weighting: HistoryWeighting = {
    lastItems: reader.number(`${name}.lastItems`, isCount, 'a whole number above 0'),
    recencyExponent: reader.number(`${name}.recencyExponent`, (value) => value >= 0, '0 or more'),
  };
  reader.finish();
  return { links, weighting };
}

/** Weights of the items of a history, the latest first. */
function weighByRecency({ lastItems, recencyExponent }: HistoryWeighting): Float64Array {
  return Float64Array.from({ length: lastItems }, (_, followedBy) => (1 + followedBy) ** -recencyExponent);
}

/**
 * The score of every item.
 * @param items of a history, oldest first
 * @param weights latest first
 */
function sumSimilarities(links: ItemLinks, items: Int32Array, weights: Float64Array): Float32Array {
  const { offsets, neighbours, similarities } = links;
  const scores = new Float32Array(offsets.length - 1);
  for (let position = 0; position < items.length; position++) {
    const weight = weights[items.length - 1 - position]!;
    const end = offsets[items[position]! + 1]!;
    for (let entry = offsets[items[position]!]!; entry < end; entry++)
      scores[neighbours[entry]!]! += weight * similarities[entry]!;
  }
  return scores;
}
