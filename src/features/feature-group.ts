import type { CandidateSet } from '../domain/candidate.js';
import type { ContextValues } from '../domain/context.js';
import type { History, TypedEntries } from '../domain/history.js';
import type { GatherOptions } from './gather-rows.js';
import type { FeatureRows, ValueStatus } from './feature-store.js';

/** The facts of one request that features are computed from. */
export interface FeatureQuery {
  readonly candidates: CandidateSet;
  readonly history: History;
  /** The same by type, what the bundle knows first; what is of this moment has no type. */
  readonly typed: () => readonly TypedEntries[];
  /** One row of every user view, in the order of the assembler's inputs. */
  readonly userRows: readonly FeatureRows[];
  /** Unix seconds: the time the bundle knows things up to, in serving as in its training rows. */
  readonly now: number;
  /** Of the request, as the bundle's fields have it; absent where it declares none, or nothing is known of any. */
  readonly context?: ContextValues | undefined;
  /** How the item views are read. */
  readonly reading: GatherOptions;
}

/** The same with what the item views have of the candidates. */
export interface HydratedQuery extends FeatureQuery {
  /** One row per candidate of every item view, in the order of the assembler's inputs; the groups of one query share it. */
  readonly itemRows: readonly FeatureRows[];
}

/**
 * Where a feature goes: the value of the first candidate to `data[start]`, that of each next one `step` further. The values of a feature that
 * the ranker does not read all go to one place that nobody reads. A group fills a column in one loop: a call for each value took as
 * long as most values take to compute.
 */
export interface FeatureColumn {
  readonly data: Float32Array;
  readonly start: number;
  readonly step: number;
}

/** Gives the column of a feature of a group. */
export type FeatureColumns = (feature: number) => FeatureColumn;

/**
 * Features that belong together: the group owns their names and how they are computed, once, for training and serving.
 * A group is created for one bundle, so it knows the catalogue and the sources.
 */
export interface FeatureGroup {
  readonly name: string;
  /** Names in the order in which `fill` numbers them. */
  readonly features: readonly string[];
  /** Writes a finite value for every candidate into the column of every feature. */
  fill(query: HydratedQuery, columnOf: FeatureColumns): void;
  /** Where a value that is stored comes from; absent where all values are computed. */
  statusOf?(query: HydratedQuery, row: number, feature: number): ValueStatus;
}
