import type { FeatureView } from './feature-view.js';

/** The owner of keys: several deployments, and several datasets, may share one Redis. */
export interface KeySpace {
  /** What every key begins with: `redis.keyPrefix` of the settings. */
  readonly prefix: string;
  /** Name of the dataset that the rows are of. */
  readonly dataset: string;
}

/**
 * The keys of a view in Redis. The pointer names the generation in service; pushed rows outlive generations.
 */
export interface RedisKeys {
  /** Holds the name of the generation in service. */
  readonly pointer: string;
  loaded(generation: string, id: string): string;
  pushed(id: string): string;
  /** Holds which generation a version is being loaded into, and how many rows of it are written. */
  progress(version: string): string;
  /** Holds ids whose rows are in a generation while all of it is there. */
  witnesses(generation: string): string;
}

/** All rows of an entity, of every view, are on the same node of a cluster. */
export function createRedisKeys({ name }: FeatureView, { prefix, dataset }: KeySpace): RedisKeys {
  const space = `${prefix}features:${encodePart(dataset)}:${encodePart(name)}`;
  return {
    pointer: `${space}:current`,
    loaded: (generation, id) => `${space}:${generation}:${braceId(id)}`,
    pushed: (id) => `${space}:pushed:${braceId(id)}`,
    progress: (version) => `${space}:loading:${version}`,
    witnesses: (generation) => `${space}:witnesses:${generation}`,
  };
}

/**
 * The last part of a key of an entity, which no other id gives. What is between its braces puts all keys of one id on the same node of a
 * cluster; a brace that closes at once would have Redis and its client each take another part of the key for that.
 */
export function braceId(id: string): string {
  return /^[}\0]/.test(id) ? `{\0${id}}` : `{${id}}`;
}

/** A part of a key that no other text gives, without `:`, braces and what patterns of `SCAN` read otherwise. */
export function encodePart(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString()).replaceAll('*', '%2A');
}

/**
 * The name of a generation: what is loaded, the schema of its rows, and which load it is of. Each load has a generation of its own, so
 * that removing an old one touches no row of a newer one.
 */
export function nameGeneration(version: string, { schema, load }: { schema: string; load: string }): string {
  return `${version}.${schema}.${load}`;
}

/** A generation as its name says. */
export interface Generation {
  readonly name: string;
  readonly version: string;
  /** Hash of the fields and the dataset of its rows. */
  readonly schema: string;
}

/** Takes the name of a generation apart; undefined for anything else. */
export function parseGeneration(bytes: Buffer | string | null | undefined): Generation | undefined {
  const name = (typeof bytes === 'string' ? bytes : bytes?.toString('latin1')) ?? '';
  const [, version, schema] = /^(\d[A-Za-z0-9.-]{0,199})\.([0-9a-f]{16})\.[0-9a-f]{8}$/.exec(name) ?? [];
  return version === undefined ? undefined : { name, version, schema: schema! };
}
