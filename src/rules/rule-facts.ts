import type { Catalogue } from '../domain/catalogue.js';
import type { ContextSpec, ContextValues } from '../domain/context.js';
import type { Target } from '../domain/target.js';

/** The vectors by which items of a bundle are alike. */
export interface ItemVectors {
  /** [rows × dimensions] */
  readonly values: Float32Array;
  readonly dimensions: number;
  /** The row of each item index, -1 for an item without a vector; absent where the row is the item index. */
  readonly rowOf?: Int32Array | undefined;
}

/** The facts of a bundle that rules are bound to: each takes what it needs. */
export interface RuleFacts {
  readonly catalogue: Catalogue;
  /** Absent where the bundle has no context. */
  readonly context?: ContextSpec | undefined;
  /** What the bundle predicts; absent where that is everything. */
  readonly target?: Target | undefined;
  /** Days from the first interaction with an item to the time that the bundle knows things up to; absent where the bundle does not say. */
  readonly ageDaysOf?: ((item: number) => number) | undefined;
  /** Absent where the bundle has none. */
  readonly vectors?: ItemVectors | undefined;
}

/** The moment of a request, which conditions are about. */
export interface RuleMoment {
  /** Name of the scenario that was asked for. */
  readonly scenario: string;
  readonly context: ContextValues;
  /** Unix seconds. */
  readonly now: number;
  /** Item indexes that the subject was shown too often; absent where no rule asks. */
  readonly tired?: Int32Array | undefined;
}
