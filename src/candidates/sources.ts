import type { TensorFile } from '../bundle/tensor-file.js';
import { ShortlistError } from '../domain/errors.js';
import { ALS } from './als.js';
import type { CandidateSource } from './candidate-source.js';
import { FRESH } from './fresh.js';
import { ONNX_ENCODER } from './onnx-encoder.js';
import { POPULAR_IN_GROUP } from './popular-in-group.js';
import { POPULAR, TRENDING, TRENDING_MONTH } from './popularity.js';
import { RANDOM } from './random.js';
import { EASE, EASE_RECENT, SIMILAR_ITEMS } from './similar-items.js';
import type { SourceDefinition, SourceOptions } from './source-definition.js';

/** Every candidate source that a scenario may list, by name. */
export const SOURCES = {
  als: ALS,
  'similar-items': SIMILAR_ITEMS,
  ease: EASE,
  'ease-recent': EASE_RECENT,
  fresh: FRESH,
  'popular-in-group': POPULAR_IN_GROUP,
  popular: POPULAR,
  trending: TRENDING,
  'trending-month': TRENDING_MONTH,
  'onnx-encoder': ONNX_ENCODER,
  random: RANDOM,
} as const satisfies Record<string, SourceDefinition>;

/** The name of a candidate source. */
export type SourceName = keyof typeof SOURCES;

/** Sources that need no artefact: every bundle has them. */
export const UNTRAINED_SOURCES: readonly string[] = Object.entries<SourceDefinition>(SOURCES)
  .filter(([, { file }]) => file === undefined)
  .map(([name]) => name);

/** True for the name of a candidate source. */
export function isSourceName(name: string): name is SourceName {
  return Object.hasOwn(SOURCES, name);
}

/** The tensor with the item vectors of a source; undefined for one that has none, and for what is no source. */
export function findItemVectors(name: string): string | undefined {
  return isSourceName(name) ? (SOURCES[name] as SourceDefinition).itemVectors : undefined;
}

/**
 * Opens a source as its definition says.
 *
 * @param artefact what the bundle holds at the source's `file`; undefined for a source without one
 * @throws ShortlistError INVALID_CONFIG when there is no source of this name, INVALID_BUNDLE when its artefact or its model is
 * missing or does not fit the catalogue
 */
export async function openSource(
  name: string,
  artefact: TensorFile | undefined,
  options: SourceOptions,
): Promise<CandidateSource> {
  if (!isSourceName(name)) {
    const known = Object.keys(SOURCES).join(', ');
    throw new ShortlistError('INVALID_CONFIG', `no candidate source "${name}"; known are ${known}`);
  }
  const source: SourceDefinition = SOURCES[name];
  if (source.file === undefined) return source.open(undefined, options);
  const { model } = options;
  if (source.model !== undefined && model === undefined) throw missing(name, source.model);
  if (artefact === undefined) throw missing(name, source.file);
  return source.model === undefined
    ? source.open(artefact, options)
    : source.open(artefact, { ...options, model: model! });
}

function missing(name: string, file: string): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `the bundle has no ${file}, which candidate source "${name}" serves from; train and publish again`,
  );
}
