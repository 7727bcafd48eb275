import { isUtf8 } from 'node:buffer';
import { hash } from 'node:crypto';
import { stringify } from 'yaml';
import { listOverrideProblems, type OverridesDocument } from '../config/override-config.js';
import { parseYaml } from '../config/read-config-file.js';
import type { Overrides } from '../rules/overrides.js';

/** A document takes as much at most, in a file, in Redis and over HTTP. */
export const MOST_BYTES = 1_048_576;

/** What a document is checked by, whatever the bundle is. */
export interface DocumentRules {
  /** Names that conditions may have. */
  readonly scenarios: readonly string[];
}

/** A document that was read: overrides, or all that is wrong with it. */
export type ReadOverrides =
  { readonly overrides: Overrides; readonly problems?: undefined } | { readonly problems: readonly string[] };

/**
 * Reads a document: YAML, of which JSON is a part.
 * @param origin opens each problem
 */
export function readOverrides(content: Buffer, origin: string, { scenarios }: DocumentRules): ReadOverrides {
  const { value, problem } = readValue(content);
  if (problem !== undefined) return { problems: [`${origin}: ${problem}`] };
  const problems = listOverrideProblems(value, { origin, scenarios });
  return problems.length > 0 ? { problems } : { overrides: toOverrides(value as OverridesDocument) };
}

/** Names a checked document. */
export function toOverrides(document: OverridesDocument): Overrides {
  const version = hash('sha256', JSON.stringify(document), 'hex').slice(0, VERSION_DIGITS);
  return { version, document };
}

const VERSION_DIGITS = 32;

/** The problem of a document that takes so many bytes; undefined where they are few enough. */
export function findSizeProblem(bytes: number): string | undefined {
  return bytes > MOST_BYTES ? `has ${bytes} bytes, allowed are ${MOST_BYTES}` : undefined;
}

function readValue(content: Buffer): { value?: unknown; problem?: string | undefined } {
  const tooLarge = findSizeProblem(content.length);
  if (tooLarge !== undefined) return { problem: tooLarge };
  if (!isUtf8(content)) return { problem: 'is not UTF-8' };
  const text = content.toString();
  if (text.trim() === '')
    return { problem: 'is empty, allowed is `overrides: []`; remove it where nothing is to be overridden' };
  const json = findJson(text);
  if (json !== undefined) return { value: json };
  const { value, problems } = parseYaml(text);
  return problems.length > 0 ? { problem: problems.join('; ') } : { value };
}

/** A thousand pins: 2 ms, where YAML takes 200 and more. */
function findJson(text: string): unknown {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Longer than what people write by hand: reading it as YAML would keep requests waiting. */
const LONG_CHARACTERS = 4000;

/** Writes a checked document: as YAML for people, or as JSON where it is long, or YAML would change it. */
export function writeOverrides(document: OverridesDocument): string {
  const json = JSON.stringify(document);
  if (json.length > LONG_CHARACTERS) {
    const spaced = `${JSON.stringify(document, null, 1)}\n`;
    return Buffer.byteLength(spaced) > MOST_BYTES ? json : spaced;
  }
  const text = stringify(document, { lineWidth: 0 });
  const { value, problems } = parseYaml(text);
  const isSame = problems.length === 0 && JSON.stringify(value) === json;
  return isSame ? text : `${JSON.stringify(document, null, 1)}\n`;
}
