import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { parseDocument } from 'yaml';
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
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    return { value: {}, problems: document.errors.map((error) => `${file}: ${error.message.trim()}`) };
  }
  const value: unknown = document.toJS() ?? {};
  if (!isMapping(value))
    return { value: {}, problems: [`${file}: the top level must be a mapping of keys to values`] };
  return { value, problems: [] };
}
