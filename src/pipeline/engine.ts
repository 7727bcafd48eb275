import type { Manifest } from '../bundle/manifest.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import type { IdIndex } from '../domain/id-index.js';
import type { InteractionCounting } from '../domain/interactions.js';
import type { MaskPool } from '../domain/mask-pool.js';
import type { FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { MemoryHistories } from '../features/memory-histories.js';
import type { Ranker } from '../ranking/ranker.js';
import type { RuleBook } from '../rules/rule-book.js';
import type { ContextReader } from './read-context.js';

/** The part of an engine that queries are hydrated from. */
export interface QueryEngine {
  readonly catalogue: Catalogue;
  readonly users: IdIndex;
  readonly histories: MemoryHistories;
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** The rules of each scenario that are in force now, bound to the bundle. */
  readonly rules: Pick<RuleBook, 'get'>;
  readonly readContext: ContextReader;
  /** Unix seconds up to which the bundle knows things. */
  readonly knownUntil: number;
  /** Where requests take the masks of what they may be answered with; without it, each makes its own. */
  readonly masks?: MaskPool | undefined;
  /** How training counted interactions; absent where all count alike. */
  readonly counting?: InteractionCounting | undefined;
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
}

/** Stage 1 and the features, of one bundle in memory: all that candidates and their features come from. */
export interface CandidateEngine extends QueryEngine {
  readonly sources: ReadonlyMap<string, CandidateSource>;
  readonly assembler: FeatureAssembler;
  /** Serve the user views, in the order in which the assembler takes their rows. */
  readonly userStores: readonly FeatureStore[];
  /** Is told what requests read of the user views. */
  readonly observer?: FeatureObserver | undefined;
}

/**
 * The part of an engine that describes a bundle and answers with what most people chose: all that the main
 * thread needs where other threads compute.
 */
export interface FallbackEngine extends QueryEngine, Pick<CandidateEngine, 'sources' | 'observer'> {
  /** What was opened. */
  readonly manifest: Manifest;
  /** How sources find the nearest items, by name of the source. */
  readonly searches: Readonly<Record<string, string>>;
  readonly rules: RuleBook;
}

/** All that answers requests for one bundle. Immutable: a new bundle is a new engine. */
export interface Engine extends CandidateEngine, FallbackEngine {
  readonly ranker: Ranker;
  readonly rules: RuleBook;
}
