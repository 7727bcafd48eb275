/** What has the form of a secret: the credentials of a URL, an API key, a signed token, the session of a visitor in a query. */
const SECRETS =
  /(?<=:\/\/)[^\s"'/@]{1,512}@|\bsl_[A-Za-z0-9_-]{16,}|(?<=[?&]sessionId=)[^&\s"'#]+|\beyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g;

/**
 * Masks what has the form of a secret, wherever it stands in a text: a URL that somebody put a key into, an error of a library
 * that quotes an address. Secrets without a form, such as passwords alone, are for `redact` of the logger.
 */
export function maskSecrets(text: string): string {
  return text.replace(SECRETS, (secret) => (secret.endsWith('@') ? '[redacted]@' : '[redacted]'));
}
