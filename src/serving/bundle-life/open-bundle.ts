import type { FeatureStore } from '../../features/feature-store.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Compute } from '../compute/compute.js';

/** A bundle that is open to be served. */
export interface OpenBundle {
  /** Of the main thread, which computes only where there are no threads. */
  readonly engine: FallbackEngine;
  /** Serve views of users in place of the bundle. */
  readonly online: readonly FeatureStore[];
  readonly compute: Compute;
  /** Waits for computations that are under way, then frees the bundle. */
  close(): Promise<void>;
}
