import { type Lease, stackBundle, type StackOptions } from '../stack.js';
import { collectGarbage } from './collect-garbage.js';
import type { OpenBundle } from './open-bundle.js';

/** A bundle with the requests that run on it: it closes when it is retired and the last of them has ended. */
export interface BundleLease extends Lease {
  readonly bundle: OpenBundle;
  /** Closes the bundle as soon as no request runs on it; waits for that only where none does. */
  retire(): Promise<void>;
}

/** Puts the layers of the stack around a bundle that has just been opened. */
export function leaseBundle(bundle: OpenBundle, options: Omit<StackOptions, 'hold'>): BundleLease {
  let requests = 0;
  let isRetired = false;

  async function closeIfUnused(): Promise<void> {
    if (!isRetired || requests > 0) return;
    await bundle.close();
    // Not before this call has let go of the bundle.
    setImmediate(collectGarbage);
  }

  async function hold<T>(work: () => Promise<T>): Promise<T> {
    requests++;
    try {
      return await work();
    } finally {
      requests--;
      await closeIfUnused();
    }
  }

  return {
    bundle,
    recommender: stackBundle(bundle, { ...options, hold }),
    hold,
    retire: async () => {
      isRetired = true;
      await closeIfUnused();
    },
  };
}
