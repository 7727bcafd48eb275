import { ShortlistError } from '../domain/errors.js';
import { createAnswerValidator, type AnswerValidator, type OpenapiDocument } from './answer-check.js';
import { createRequestHeaders } from './request-headers.js';
import { describeFetchError } from './server-metrics.js';

/** The state of a target before the run, as the target reports it. */
export interface TargetState {
  /** The bundle in service; null when it does not say. */
  readonly bundle: string | null;
  /** Why it counts as production; undefined when it does not. */
  readonly production: string | undefined;
}

/**
 * Asks `GET /ready` of a target. It counts as production when it serves the channel `production`, when its host matches one of the
 * patterns, and when it does not say what it serves.
 *
 * @throws ShortlistError LOAD_TEST_FAILED when it cannot be reached or is not ready
 */
export async function checkTarget(
  target: URL,
  { productionHosts, apiKey }: { productionHosts: readonly string[]; apiKey?: string | undefined },
): Promise<TargetState> {
  const response = await ask(target, 'ready', apiKey);
  if (response.status >= 500) {
    throw new ShortlistError(
      'LOAD_TEST_FAILED',
      `${target.href} is not ready (${response.status}): wait until GET /ready answers 200.`,
    );
  }
  const { bundle, channel } = response.ok ? await readMapping(response) : {};
  const pattern = productionHosts.find((each) => new RegExp(each).test(target.hostname));
  return {
    bundle: typeof bundle === 'string' ? bundle : null,
    production: whyProduction({ channel, pattern, host: target.hostname }),
  };
}

function whyProduction(known: {
  channel: unknown;
  pattern: string | undefined;
  host: string;
}): string | undefined {
  const { channel, pattern, host } = known;
  if (channel === 'production') return 'it serves the channel production';
  if (pattern !== undefined) return `its host ${host} matches ${pattern}`;
  if (typeof channel !== 'string') return 'its GET /ready does not say which channel it serves';
  return undefined;
}

/**
 * Compiles what the target's own `/openapi.json` promises of a route.
 * @throws ShortlistError LOAD_TEST_FAILED when it has none
 */
export async function fetchAnswerValidator(
  target: URL,
  route: string,
  { apiKey }: { apiKey?: string | undefined } = {},
): Promise<AnswerValidator> {
  const response = await ask(target, 'openapi.json', apiKey);
  if (!response.ok) {
    throw new ShortlistError(
      'LOAD_TEST_FAILED',
      `${target.href} has no /openapi.json (${response.status}) to check answers against: ` +
        'enable its docs, or set validateShare to 0 in the profile.',
    );
  }
  return createAnswerValidator((await readMapping(response)) as unknown as OpenapiDocument, route);
}

async function ask(target: URL, path: string, apiKey: string | undefined): Promise<Response> {
  const url = new URL(path, target.href.replace(/\/?$/, '/'));
  try {
    return await fetch(url, {
      headers: createRequestHeaders(apiKey),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new ShortlistError(
      'LOAD_TEST_FAILED',
      `${url.href} cannot be reached: ${describeFetchError(cause)}`,
      {
        cause,
      },
    );
  }
}

const TIMEOUT_MS = 10_000;

/** The answer as a mapping; empty when it is no JSON object. */
async function readMapping(response: Response): Promise<Record<string, unknown>> {
  try {
    return Object(await response.json()) as Record<string, unknown>;
  } catch {
    return {};
  }
}
