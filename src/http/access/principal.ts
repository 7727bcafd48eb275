import type { Scope } from '../../config/api-key-entry.js';

/** Who asks. */
export interface Principal {
  /** For the log: the name of an API key, or that it is a token. Never a user's id. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** The user that a token is bound to; absent where it may ask about every user. */
  readonly boundTo?: string;
  /** What its requests are counted by. */
  readonly countedAs: string;
}
