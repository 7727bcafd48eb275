/** What a key or a token may be for: to ask, to push what is known of users, to run the server. None includes another. */
export const SCOPES = ['read', 'write', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

/** A pattern of what configures a key. */
export const API_KEY_ENTRY =
  '^[a-z0-9][a-z0-9._-]{0,63}:(read|write|admin)(\\+(read|write|admin))*:[0-9a-f]{64}$';

/** The same in words. */
export const API_KEY_ENTRY_FORM =
  '`name:scopes:hash`: a name of lower-case letters, digits, dots, hyphens and underscores; `read`, `write` and `admin` joined by +; the SHA-256 of the key in 64 hexadecimal digits';
