import { API_KEY_ENTRY, API_KEY_ENTRY_FORM } from './api-key-entry.js';
import { Type } from 'typebox';
import { milliseconds } from './setting-notes.js';

/** Settings of who may ask. */
export const Auth = Type.Object(
  {
    mode: Type.Enum(['none', 'required'], {
      description:
        '`required`: a request needs an API key or, where `jwt.jwksUrl` is set, a token, and the server does not start without either. `none`: everybody may ask.',
      variable: 'SHORTLIST_AUTH',
      danger:
        'With `none`, who reaches the listeners can ask about every user, and over the admin listener change what is served. Beyond loopback it needs `auth.openListeners`.',
    }),
    apiKeys: Type.Array(
      Type.String({ pattern: API_KEY_ENTRY, 'x-allowed': API_KEY_ENTRY_FORM, secret: true }),
      {
        description:
          'Keys that are accepted, by their SHA-256. `shortlist api-key create` makes a key and its entry.',
        variable: 'SHORTLIST_API_KEYS',
      },
    ),
    apiKeysFile: Type.String({
      'x-allowed': 'the path of a file, or empty',
      description:
        'A file with more such entries, one per line; empty lines and lines that begin with # do not count. Read once, at the start.',
      variable: 'SHORTLIST_API_KEYS_FILE',
    }),
    openRoutes: Type.Array(Type.Enum(['health', 'docs', 'metrics']), {
      description:
        'What needs no key: `health` is `/live` and `/ready`, `docs` is `/docs` and `/openapi.json`, `metrics` is `/metrics` of the admin listener.',
      variable: 'SHORTLIST_OPEN_ROUTES',
      danger:
        'With `metrics`, who reaches the admin listener reads how much is asked, what fails, and the names of bundles, scenarios and features.',
    }),
    openListeners: Type.Array(Type.Enum(['public', 'admin']), {
      description:
        'Listeners that may answer without credentials at an address that is not loopback. With `auth.mode: none` the server does not start without their names here.',
      variable: 'SHORTLIST_OPEN_LISTENERS',
      danger:
        'Who reaches an open listener needs no key: `public` answers about every user, `admin` swaps the bundle and takes pushes.',
    }),
  },
  { additionalProperties: false },
);

/** Settings of tokens that an issuer signs. */
export const Jwt = Type.Object(
  {
    jwksUrl: Type.String({
      pattern: '^(https?://[^\\s@]+)?$',
      'x-allowed': 'an http or https URL without credentials, or empty',
      description: 'Where the issuer publishes its public keys (RFC 7517). Empty: no tokens, only API keys.',
      variable: 'SHORTLIST_JWT_JWKS_URL',
      danger: 'Over plain http, who stands in between can sign tokens of his own.',
    }),
    issuer: Type.String({
      description: 'What `iss` of a token must be.',
      variable: 'SHORTLIST_JWT_ISSUER',
    }),
    audience: Type.String({
      description: 'What `aud` of a token must be or contain.',
      variable: 'SHORTLIST_JWT_AUDIENCE',
    }),
    algorithms: Type.Array(
      Type.Enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
      {
        minItems: 1,
        description:
          'Signatures that are accepted. All are asymmetric: whoever can check a token could otherwise make one.',
      },
    ),
    scopePrefix: Type.String({
      description:
        'Before `read`, `write`, `metrics` and `admin` in `scope` or `scp` of a token, so that a scope meant for something else opens nothing here.',
    }),
    bindSubject: Type.Boolean({
      description:
        'Requests for a user are answered, and events of a user taken, only where `sub` of the token is that user; 403 otherwise. Every token asks for sessions and for nobody, and may send events of sessions.',
      variable: 'SHORTLIST_JWT_BIND_SUBJECT',
      danger:
        'When false, every token with the scope `read` may ask about every user, and with `write` tell events of every user: right for services, wrong for apps.',
    }),
    clockToleranceSeconds: Type.Integer({
      minimum: 0,
      maximum: 300,
      unit: 's',
      description: 'How far the clocks of issuer and server may be apart.',
    }),
    fetchTimeoutMs: milliseconds(10, 30_000, {
      description:
        'Time that the issuer has to send its keys. Requests wait for it only while no usable key is known.',
    }),
    refreshSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description:
        'Keys older than this are fetched again beside the requests; a token of an unknown key has them fetched at once.',
    }),
    maxKeyAgeSeconds: Type.Integer({
      minimum: 60,
      maximum: 2_592_000,
      unit: 's',
      description:
        'While the issuer cannot be reached, known keys are used until they are this old; then tokens are a 503.',
      danger:
        'For so long a key that the issuer withdrew may go on being accepted while the issuer cannot be reached.',
    }),
  },
  { additionalProperties: false },
);

/** Settings of the limit on requests per client. */
export const RateLimit = Type.Object(
  {
    requests: Type.Integer({
      minimum: 0,
      maximum: 10_000_000,
      description:
        'Requests of one client to the public listener per window; 429 above. A client is an API key, the subject of a token, or else an address (of IPv6 its /64). `/live` and `/ready` do not count.',
      variable: 'SHORTLIST_RATE_LIMIT',
      zero: 'no limit',
    }),
    windowSeconds: Type.Integer({
      minimum: 1,
      maximum: 86_400,
      unit: 's',
      description: 'Length of the window.',
    }),
    store: Type.Enum(['memory', 'redis'], {
      description:
        'Where requests are counted. `memory`: each process for itself. `redis`: all together, at `redis.url`; while Redis is away each process counts for itself.',
      variable: 'SHORTLIST_RATE_LIMIT_STORE',
    }),
  },
  { additionalProperties: false },
);

/** Settings of the origins whose pages may read answers. */
export const Cors = Type.Object(
  {
    origins: Type.Array(
      Type.String({
        pattern: '^(\\*|https?://[^/\\s,]+)$',
        'x-allowed':
          'an origin as browsers send it, such as `https://shop.example` (lower case, no path, no slash at the end, no default port), or `*`',
      }),
      {
        description:
          'Origins whose pages may read the answers of the public listener, and send it events (`*` is for reading only). None: no page of another origin.',
        variable: 'SHORTLIST_CORS_ORIGINS',
        danger: 'A key in a page is a key that everybody has: give pages tokens with `jwt.bindSubject`.',
      },
    ),
  },
  { additionalProperties: false },
);
