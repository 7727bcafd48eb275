import type { TensorFile } from '../bundle/tensor-file.js';
import type { FeatureView } from '../features/feature-view.js';
import type { CandidateSource } from './candidate-source.js';
import type { Int8Rows } from './int8-rows.js';
import type { ItemSearch, ItemVectors } from './item-search.js';

/** The facts of a bundle that sources are opened with; each takes what it needs. */
export interface SourceOptions {
  /** Items of the catalogue that the source is to serve. */
  readonly itemCount: number;
  /** The views of users that a source may read values of. */
  readonly userViews: readonly FeatureView[];
  /** Finds the items nearest to a user, for a source that looks for them by vectors; exactly where it is not said. */
  readonly openSearch?:
    | ((items: ItemVectors, options: Pick<SourceOptions, 'rows'>) => ItemSearch | Promise<ItemSearch>)
    | undefined;
  /** What `prepareRows` made of the item vectors of its artefact; a source that needs them makes them when not said. */
  readonly rows?: Int8Rows | undefined;
  /** The model of a source that runs one. */
  readonly model?: Uint8Array | undefined;
}

type Opened = CandidateSource | Promise<CandidateSource>;

/** Opens a source that serves what training left in the bundle. */
export interface TrainedSource {
  /** Path of the artefact inside a bundle. */
  readonly file: string;
  /** The tensor of the artefact with the vectors of items that are searched by inner product, where it has some. */
  readonly itemVectors?: string;
  readonly model?: undefined;
  /** @throws ShortlistError INVALID_BUNDLE when the artefact does not fit the catalogue */
  readonly open: (artefact: TensorFile, options: SourceOptions) => Opened;
}

/** Opens a source that runs a model that was trained elsewhere. */
export interface ModelSource {
  /** Path of the artefact inside a bundle. */
  readonly file: string;
  /** The tensor of the artefact with the vectors of items that are searched by inner product, where it has some. */
  readonly itemVectors?: string;
  /** Path of the model. */
  readonly model: string;
  /** @throws ShortlistError INVALID_BUNDLE when the artefact or the model does not fit the catalogue or the views */
  readonly open: (artefact: TensorFile, options: SourceOptions & { readonly model: Uint8Array }) => Opened;
}

/** Opens a source that needs nothing of a bundle but the size of its catalogue. */
export interface UntrainedSource {
  readonly file?: undefined;
  readonly itemVectors?: undefined;
  readonly model?: undefined;
  readonly open: (artefact: undefined, options: SourceOptions) => Opened;
}

/** Opens a candidate source: its file exports one, and `sources.ts` lists it. */
export type SourceDefinition = TrainedSource | ModelSource | UntrainedSource;
