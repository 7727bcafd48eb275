import type { TensorFile } from '../bundle/tensor-file.js';
import { ShortlistError } from '../domain/errors.js';
import { createAlsSource, parseAls } from './als.js';
import type { CandidateSource } from './candidate-source.js';
import { createFreshSource, parseFresh } from './fresh.js';
import { createPopularInGroupSource, parsePopularInGroup } from './popular-in-group.js';
import { createPopularitySource, parsePopularity } from './popularity.js';
import { createRandomSource } from './random.js';
import { createSimilarItemsSource, parseSimilarItems } from './similar-items.js';

/** A source that serves what training left in the bundle. */
interface TrainedSource {
  /** Path of the artefact inside a bundle. */
  readonly file: string;
  readonly open: (artefact: TensorFile, options: SourceOptions) => CandidateSource;
}

/** A source that runs a model that was trained elsewhere; `openEncoderSource` opens it. */
interface ModelSource {
  /** Path of the artefact inside a bundle. */
  readonly file: string;
  /** Path of the model. */
  readonly model: string;
}

/** A source that needs nothing but the size of the catalogue. */
interface UntrainedSource {
  readonly file?: undefined;
  readonly open: (artefact: undefined, options: SourceOptions) => CandidateSource;
}

interface SourceOptions {
  /** Items of the catalogue that the source is to serve. */
  readonly itemCount: number;
}

function openListSource(name: string, artefact: TensorFile, itemCount: number): CandidateSource {
  const { links, weighting } = parseSimilarItems(artefact, { name, itemCount });
  return createSimilarItemsSource(name, links, weighting);
}

function openTrendingSource(name: string, artefact: TensorFile, itemCount: number): CandidateSource {
  return createPopularitySource(name, parsePopularity(artefact, { name, itemCount }), { onlyPositive: true });
}

/** Every candidate source that a scenario may list, by name. */
export const SOURCES = {
  als: {
    file: 'candidates/als.safetensors',
    open: (artefact, options) => createAlsSource(parseAls(artefact, options)),
  },
  'similar-items': {
    file: 'candidates/similar-items.safetensors',
    open: (artefact, { itemCount }) => openListSource('similar-items', artefact, itemCount),
  },
  ease: {
    file: 'candidates/ease.safetensors',
    open: (artefact, { itemCount }) => openListSource('ease', artefact, itemCount),
  },
  'ease-recent': {
    file: 'candidates/ease.safetensors',
    open: (artefact, { itemCount }) => openListSource('ease-recent', artefact, itemCount),
  },
  fresh: {
    file: 'candidates/fresh.safetensors',
    open: (artefact, options) => createFreshSource(parseFresh(artefact, options)),
  },
  'popular-in-group': {
    file: 'candidates/popular-in-group.safetensors',
    open: (artefact, options) => createPopularInGroupSource(parsePopularInGroup(artefact, options)),
  },
  popular: {
    file: 'candidates/popular.safetensors',
    open: (artefact, { itemCount }) =>
      createPopularitySource('popular', parsePopularity(artefact, { name: 'popular', itemCount })),
  },
  trending: {
    file: 'candidates/trending.safetensors',
    open: (artefact, { itemCount }) => openTrendingSource('trending', artefact, itemCount),
  },
  'trending-month': {
    file: 'candidates/trending-month.safetensors',
    open: (artefact, { itemCount }) => openTrendingSource('trending-month', artefact, itemCount),
  },
  'onnx-encoder': {
    file: 'candidates/encoder.safetensors',
    model: 'candidates/encoder.onnx',
  },
  random: {
    open: (_artefact, options) => createRandomSource(options),
  },
} as const satisfies Record<string, TrainedSource | UntrainedSource | ModelSource>;

/** The name of a candidate source. */
export type SourceName = keyof typeof SOURCES;

/** True for the name of a candidate source. */
export function isSourceName(name: string): name is SourceName {
  return Object.hasOwn(SOURCES, name);
}

/**
 * Opens a source from its artefact. One that runs a model is opened with it by `openEncoderSource`.
 *
 * @param artefact what the bundle holds at the source's `file`; undefined for a source without one
 * @throws ShortlistError INVALID_CONFIG when there is no source of this name, INVALID_BUNDLE when its artefact is missing
 * or does not fit the catalogue
 */
export function openSource(
  name: string,
  artefact: TensorFile | undefined,
  options: SourceOptions,
): CandidateSource {
  if (!isSourceName(name)) {
    const known = Object.keys(SOURCES).join(', ');
    throw new ShortlistError('INVALID_CONFIG', `no candidate source "${name}"; known are ${known}`);
  }
  const source: TrainedSource | UntrainedSource | ModelSource = SOURCES[name];
  if ('model' in source) throw missing(name, source.model);
  if (source.file === undefined) return source.open(undefined, options);
  if (artefact !== undefined) return source.open(artefact, options);
  throw missing(name, source.file);
}

function missing(name: string, file: string): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `the bundle has no ${file}, which candidate source "${name}" serves from; train and publish again`,
  );
}
