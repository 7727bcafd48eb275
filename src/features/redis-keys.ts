import type { FeatureView } from './feature-view.js';

/**
 * Where the rows of a view are in Redis. A generation is what one `materialise` wrote; the pointer names the one in
 * service. Pushed rows outlive generations.
 */
export interface RedisKeys {
  /** Holds the name of the generation in service. */
  readonly pointer: string;
  loaded(generation: string, id: string): string;
  pushed(id: string): string;
  /** Holds how many rows of a generation are written, while it is being written. */
  progress(generation: string): string;
}

/** The braces put all rows of an entity, of every view, on the same node of a cluster. */
export function createRedisKeys({ name }: FeatureView): RedisKeys {
  const space = `shortlist:features:${name}`;
  return {
    pointer: `${space}:current`,
    loaded: (generation, id) => `${space}:${generation}:{${id}}`,
    pushed: (id) => `${space}:pushed:{${id}}`,
    progress: (generation) => `${space}:loading:${generation}`,
  };
}

/** A generation's name as `materialise` makes it, a digit first, so that it is none of the other words; undefined for anything else. */
export function parseGeneration(bytes: Buffer | undefined): string | undefined {
  const name = bytes?.toString('latin1') ?? '';
  return /^\d[A-Za-z0-9.-]{0,199}$/.test(name) ? name : undefined;
}
