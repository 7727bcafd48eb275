import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Value } from 'typebox/value';

/** A file with more problems than this is not the file it should be. */
const MOST_PROBLEMS = 100;
const LONGEST_VALUE = 80;

/**
 * Lists each part of a value that does not match a schema, one sentence each, with its place and the
 * offending value.
 */
export function findSchemaProblems(schema: TSchema, value: unknown): string[] {
  return listErrors(schema, value).map(({ instancePath, message }) => {
    const keys = instancePath.split('/').slice(1).map(unescapeKey);
    const found = keys.reduce((parent: unknown, key) => (parent as Record<string, unknown>)[key], value);
    return `${formatPlace(keys)}${message}${formatFound(found)}`;
  });
}

/** TypeBox stops at 8 errors by default, and has no option per call. */
function listErrors(schema: TSchema, value: unknown): { instancePath: string; message: string }[] {
  const { maxErrors } = Settings.Get();
  Settings.Set({ maxErrors: MOST_PROBLEMS });
  try {
    return Value.Errors(schema, value);
  } finally {
    Settings.Set({ maxErrors });
  }
}

function unescapeKey(key: string): string {
  return key.replaceAll('~1', '/').replaceAll('~0', '~');
}

function formatPlace(keys: readonly string[]): string {
  if (keys.length === 0) return '';
  const places = keys.map((key) => (/^[A-Za-z]\w*$/.test(key) ? `.${key}` : `[${formatKey(key)}]`));
  return `${places.join('').replace(/^\./, '')}: `;
}

function formatKey(key: string): string {
  return /^\d+$/.test(key) ? key : JSON.stringify(key);
}

function formatFound(found: unknown): string {
  if (typeof found === 'object' && found !== null) return '';
  const text = JSON.stringify(found);
  return `, it is ${text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text}`;
}
