import type { CandidateSet } from '../domain/candidate.js';
import type { History } from '../domain/history.js';

/** What features of one request are computed from. */
export interface FeatureQuery {
  readonly candidates: CandidateSet;
  readonly history: History;
  /** Index in the users view; -1 for a user it does not know. */
  readonly userIndex: number;
  /** Values of the user, one per field of the users view, where an online store gave them; they go over the bundle's. */
  readonly userValues?: Float32Array;
  /** Unix seconds: the time the bundle knows things up to, in serving as in its training rows. */
  readonly now: number;
}

/** Writes a value into the matrix row of a candidate; a feature that the ranker does not read goes nowhere. */
export type FeatureWriter = (row: number, feature: number, value: number) => void;

/**
 * Features that belong together: the group owns their names and how they are computed, once, for training and serving.
 * A group is created for one bundle, so it knows the catalogue and the sources.
 */
export interface FeatureGroup {
  readonly name: string;
  /** Names in the order in which `fill` numbers them. */
  readonly features: readonly string[];
  /** Writes a finite value for every feature of every candidate row. */
  fill(query: FeatureQuery, write: FeatureWriter): void;
}
