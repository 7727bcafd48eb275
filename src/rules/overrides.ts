import type { Override, OverridesDocument } from '../config/override-config.js';

/** A document of overrides, with a name of what it says. */
export interface Overrides {
  /** The same for documents that say the same, and for no others. */
  readonly version: string;
  readonly document: OverridesDocument;
}

/** No document. */
export const NO_OVERRIDES: Overrides = { version: 'none', document: { overrides: [] } };

/** Says which overrides are in force now. */
export interface OverridesInForce {
  /** The same object until others are. */
  current(): Overrides;
  /** Is told of overrides that a bundle cannot have, once for each document and bundle: a sentence each. */
  onIneffective?(problems: readonly string[], version: string): void;
}

/** What a bundle has to say of overrides. */
export interface OverrideCheck {
  /** Overrides that name attributes or fields of the context that it cannot answer: a sentence each. They do nothing. */
  readonly ineffective: readonly string[];
  /** Items that it does not have, by the override that names them: a sentence each. A later bundle may have them. */
  readonly unknown: readonly string[];
}

/** Where an override stands, in messages. */
export function placeOf(index: number, { hide, pin }: Override): string {
  return `overrides.${index}.${hide !== undefined ? 'hide' : pin !== undefined ? 'pin' : 'boost'}`;
}
