import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { parseDocument, type YAMLParseError, type YAMLWarning } from 'yaml';
import { ShortlistError } from '../domain/errors.js';
import { isMapping, listProblems } from './list-problems.js';

/**
 * Reads a YAML file that must fit the schema.
 * @throws ShortlistError INVALID_CONFIG with every problem: unreadable, not YAML, unknown keys, missing keys, wrong values.
 */
export function readConfigFile<Schema extends TSchema>(schema: Schema, file: string): Static<Schema> {
  const { value, problems } = readYamlMapping(file);
  const all = problems.length > 0 ? problems : listProblems(schema, value, { origin: file });
  if (all.length > 0)
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be used:`, { problems: all });
  return value as Static<Schema>;
}

/** Reads the mapping at the top of a YAML file, an empty one for an empty file; what is wrong comes as problems, never thrown. */
export function readYamlMapping(file: string): { value: Record<string, unknown>; problems: string[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { value: {}, problems: [`${file}: cannot be read: ${(error as Error).message}`] };
  }
  const { value, problems } = parseYaml(text);
  return { value, problems: problems.map((problem) => `${file}: ${problem}`) };
}

/** Longer than any config that people write; a longer one takes the parser seconds and more. */
const MOST_CHARACTERS = 2_000_000;

/** The same of a text; the problems name no file. */
export function parseYaml(text: string): { value: Record<string, unknown>; problems: string[] } {
  const refuse = (...problems: string[]) => ({ value: {}, problems });
  if (text.length > MOST_CHARACTERS)
    return refuse(`has ${text.length} characters, allowed are ${MOST_CHARACTERS}`);
  const document = parseDocument(text, { stringKeys: true, resolveKnownTags: false, logLevel: 'error' });
  // A tag that is not resolved is a warning, and its value another one than was meant.
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) return refuse(...faults.map(describeFault));
  try {
    const value: unknown = document.toJS() ?? {};
    // An alias inside of what it stands for has no end.
    JSON.stringify(value);
    if (isMapping(value)) return { value, problems: [] };
  } catch (error) {
    return refuse(`its aliases cannot be resolved: ${(error as Error).message.split('\n', 1)[0]}`);
  }
  return refuse('the top level must be a mapping of keys to values');
}

/** The parser answers a second document with a function of its own to call. */
function describeFault({ code, message, linePos }: YAMLParseError | YAMLWarning): string {
  if (code !== 'MULTIPLE_DOCS') return message.trim();
  const line = linePos === undefined ? '' : `, from line ${linePos[0].line} on`;
  return `holds more than one YAML document${line}; allowed is one, so put what follows \`---\` into a file of its own`;
}
