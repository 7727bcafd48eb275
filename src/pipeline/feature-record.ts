import type { GivenContext } from '../domain/context.js';
import type { AttributeFilter, Degradation } from '../domain/slate.js';

/**
 * The inputs of the ranker for the items that an answer shows, and the time that they are of: data only,
 * which threads can hand on.
 */
export interface ShownFeatures {
  /** Row-major [items of the slate × features], in the ranker's feature order. */
  readonly values: Float32Array;
  /** Digest of the names of the features, in that order. */
  readonly featuresHash: string;
  /** Digest of the scenario that answered. */
  readonly scenarioHash: string;
  /** Unix seconds that time to live was judged by, and that the context is of. */
  readonly now: number;
  /** Absent unless the user was taken for an unknown one, having asked to be forgotten. */
  readonly isForgotten?: boolean;
  /** What stores outside of the bundle gave; absent where none was asked. */
  readonly online?: OnlineRows;
  /** What the subject did lately, as it was merged into the history of the bundle; absent where there was nothing. */
  readonly live?: readonly LiveEntry[];
  /** The same by type, each event by itself; absent where nothing asked for types. */
  readonly liveTypes?: readonly LiveTypedEntry[];
}

/** The latest word of a subject on an item: a row of a `LiveHistory`, by the item's raw id. */
export interface LiveEntry {
  readonly item: string;
  /** Unix seconds. */
  readonly time: number;
  readonly value: number;
  /** True where the subject does not want the item. */
  readonly negative?: boolean;
}

/** What a subject did lately with an item: a row of the typed part of a `LiveHistory`. */
export interface LiveTypedEntry {
  readonly item: string;
  /** Unix seconds. */
  readonly time: number;
  readonly type: string;
  /** False where training would not count it. */
  readonly counts?: boolean;
}

/** Rows of a user that came from stores outside of the bundle. */
export interface OnlineRows {
  /** Unix seconds when they were read. */
  readonly readAt: number;
  /** A ValueStatus per field, by the name of the view. */
  readonly statuses: Readonly<Record<string, readonly number[]>>;
}

/**
 * A line of the feature log: the inputs of the ranker for one request, with all that the same vectors can be
 * made of again.
 */
export interface FeatureRecord extends Omit<ShownFeatures, 'values'> {
  /** When the answer was out, ISO 8601 in UTC. */
  readonly time: string;
  readonly requestId: string;
  /** Whom it was for; absent where it was for no user. */
  readonly user?: string;
  /** Of which visitor, where it has a session. */
  readonly session?: string;
  /** Which item it was started from, where it was one. */
  readonly item?: string;
  /** The scenario that was asked for. */
  readonly scenario: string;
  readonly bundle: string;
  /** Stages that fell back. */
  readonly degraded: readonly Degradation[];
  /** Items asked for. */
  readonly limit: number;
  /** Share of the candidates that were ranked; absent where it was all of them. */
  readonly depth?: number;
  readonly exclude: readonly string[];
  readonly filters: readonly AttributeFilter[];
  readonly sessionItems?: readonly string[];
  readonly candidates?: readonly string[];
  /** What earlier pages showed, as in the request. */
  readonly shown?: readonly number[];
  /** What the client said of the moment. */
  readonly context: readonly GivenContext[];
  /** The items shown, best first, each with its vector as `encodeVector` writes it. */
  readonly items: readonly { readonly id: string; readonly vector: string }[];
}

/** Float32 as base64 of their bytes, little-endian: every bit of them is kept, those of NaN and of -0 too. */
export function encodeVector(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

/** @returns undefined where the text is not so many float32 */
export function decodeVector(text: string, length: number): Float32Array | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 4 * length || bytes.toString('base64') !== text) return undefined;
  return new Float32Array(new Uint8Array(bytes).buffer);
}
