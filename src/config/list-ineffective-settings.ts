import type { Setting } from './list-settings.js';
import type { Settings } from './settings.js';
import { showValue } from './show-value.js';
import { isTrustedRange } from './trusted-ranges.js';

/** A setting that somebody set on purpose: not the value of `default.yaml`. */
export interface GivenSetting extends Setting {
  readonly value: unknown;
  /** The file, variable or option that says it. */
  readonly origin: string;
}

/**
 * Settings of security that would have no effect, one sentence each: whoever set them believes in a protection that is not there.
 * @param given what was set on purpose
 */
export function listIneffectiveSettings(settings: Settings, given: readonly GivenSetting[]): string[] {
  return [
    ...given.flatMap((setting) => listUnmetNeeds(setting, settings)),
    ...settings.cors.origins.flatMap((origin, index) => listOriginProblems(origin, index, settings)),
    ...settings.server.trustProxy
      .filter((range) => !isTrustedRange(range))
      .map(
        (range) =>
          `server.trustProxy has ${showValue(range)}, allowed are IP addresses, CIDR ranges, loopback, linklocal and uniquelocal`,
      ),
    ...listTlsProblems(settings.vectorEngine.url),
  ];
}

interface Need {
  readonly isMet: (settings: Settings) => boolean;
  readonly what: string;
}

const TOKENS: Need = {
  isMet: ({ jwt }) => jwt.jwksUrl !== '',
  what: 'jwt.jwksUrl is empty: no token is accepted',
};
const A_LIMIT: Need = {
  isMet: ({ rateLimit }) => rateLimit.requests > 0,
  what: 'rateLimit.requests is 0: nothing is limited',
};
const CREDENTIALS: Need = {
  isMet: ({ auth }) =>
    auth.mode === 'required' || (auth.openRoutes.includes('health') && auth.openRoutes.includes('docs')),
  what: 'auth.mode is none: every route is open',
};

/** What a setting needs to have an effect; of a whole group under `*`. */
const NEEDS: Readonly<Record<string, Need>> = {
  'jwt.*': TOKENS,
  'rateLimit.windowSeconds': A_LIMIT,
  'rateLimit.store': A_LIMIT,
  'auth.openRoutes': CREDENTIALS,
};

function listUnmetNeeds({ group, key, value, origin }: GivenSetting, settings: Settings): string[] {
  const need = NEEDS[`${group}.${key}`] ?? NEEDS[`${group}.*`];
  if (need === undefined || value === '' || need.isMet(settings)) return [];
  return [`${origin}: ${group}.${key} is ${showValue(value)} and has no effect, because ${need.what}`];
}

/** Browsers send an origin in one form only; another one is never equal to it. */
function listOriginProblems(origin: string, index: number, { cors }: Settings): string[] {
  const at = `cors.origins.${index}`;
  if (origin === '*') {
    return cors.origins.length === 1 ? [] : [`${at} is "*", which makes the other origins of no effect`];
  }
  if (origin.includes('*'))
    return [`${at} is ${showValue(origin)}: a part of an origin cannot be a wildcard`];
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url?.origin === origin) return [];
  const form = url === undefined ? 'is not an origin' : `browsers send it as ${url.origin}`;
  return [`${at} is ${showValue(origin)}, which matches no page: ${form}`];
}

const TLS_PARAMETERS = ['ssl', 'sslmode', 'sslcert', 'sslkey', 'sslrootcert', 'sslnegotiation'];

/** A parameter of the address that is misspelt would leave the connection without TLS. The address itself may hold a password. */
function listTlsProblems(url: string): string[] {
  const query = url.split('?', 2)[1] ?? '';
  return [...new URLSearchParams(query).keys()]
    .filter((name) => /^(ssl|tls)/i.test(name) && !TLS_PARAMETERS.includes(name))
    .map(
      (name) =>
        `vectorEngine.url has the parameter ${showValue(name)}, which nothing reads; those of TLS are ${TLS_PARAMETERS.join(', ')}`,
    );
}
