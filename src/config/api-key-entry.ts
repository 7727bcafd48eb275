/**
 * The permissions of keys and tokens: to ask, to push what is known of users, to read metrics, to run the
 * server. None includes another, but that `admin` reads metrics too.
 */
export const SCOPES = ['read', 'write', 'metrics', 'admin'] as const;

/** A permission of a key or a token. */
export type Scope = (typeof SCOPES)[number];

/** A pattern of what configures a key. */
export const API_KEY_ENTRY =
  '^[a-z0-9][a-z0-9._-]{0,63}:(read|write|metrics|admin)(\\+(read|write|metrics|admin))*:[0-9a-f]{64}$';

/** The same in words. */
export const API_KEY_ENTRY_FORM =
  '`name:scopes:hash`: a name of lower-case letters, digits, dots, hyphens and underscores; `read`, `write`, `metrics` and `admin` joined by +; the SHA-256 of the key in 64 hexadecimal digits';
