import type { OverridesDocument } from '../config/override-config.js';
import type { Overrides, OverridesInForce } from '../rules/overrides.js';

/**
 * Keeps one document of overrides, which all processes of the store follow: what one puts there is in force in all of them within `overrides.pollMs`. A
 * document that is wrong, and a store that is away, leave those in force that were before. One contract suite runs on every implementation.
 */
export interface OverrideStore extends Pick<OverridesInForce, 'current'> {
  /** Why what is in force is not what the store has now, a sentence each; empty where it is. */
  problems(): readonly string[];
  /**
   * Puts a document in the place of the one that is there, whole or not at all: it is kept, and in force here, when the promise resolves.
   * @param document checked
   * @param options.ifMatch versions of which the one that is there must be; `*` for any
   * @returns what was in force before, and is now
   * @throws ShortlistError OVERRIDES_CHANGED when another one is there; OVERRIDES_UNAVAILABLE when it cannot be kept
   */
  replace(document: OverridesDocument, options: { ifMatch: IfMatch }): Promise<Replacement>;
  /** Puts in force what another process has, where this one could read nothing right since it began. */
  adopt(overrides: Overrides): void;
  close(): void;
}

/** How a store is opened. */
export interface OpeningOptions {
  /** A changed document is in force after so long at most. */
  readonly pollMs: number;
  readonly observer: OverridesObserver;
  /** Refuses a document that is wrong when the store is opened; without it there are no overrides until it is right. */
  readonly isStrict: boolean;
}

/** Versions of which one must be there, or whichever is. */
export type IfMatch = '*' | readonly string[];

/** A document that was put in the place of another. */
export interface Replacement {
  /** The version that was there; undefined where what was there is no document. */
  readonly before: string | undefined;
  readonly after: Overrides;
}

/** Is told of a document; nothing here may throw. */
export interface OverridesObserver {
  /** Others are in force. */
  changed(overrides: Overrides): void;
  /** What is wrong with the document or its store; empty when nothing is any more. */
  met(problems: readonly string[]): void;
}
