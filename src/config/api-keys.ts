import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ShortlistError } from '../domain/errors.js';
import { API_KEY_ENTRY, API_KEY_ENTRY_FORM, type Scope } from './api-key-entry.js';
import type { Settings } from './settings.js';

/** A key that is accepted. The key itself is known to its holder only. */
export interface ApiKey {
  /** Of the application that holds it: in the log, and what its requests are counted by. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** SHA-256 of the key, 32 bytes. */
  readonly hash: Buffer;
}

/** The beginning of every key, so that people and secret scanners recognise one. */
export const API_KEY_PREFIX = 'sl_';

const KEY_BYTES = 32;

/** Makes a key of 256 random bits, and the entry that configures it. */
export function createApiKey(name: string, scopes: readonly Scope[]): { key: string; entry: string } {
  const key = `${API_KEY_PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
  return { key, entry: `${name}:${scopes.join('+')}:${hashApiKey(key).toString('hex')}` };
}

/**
 * SHA-256, unsalted. A password needs a slow, salted hash because people choose guessable ones; nobody guesses one of 2^256
 * keys, and a slow hash here would let every request with a made-up key buy milliseconds of CPU.
 */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/**
 * The keys of `auth.apiKeys` and of the file that `auth.apiKeysFile` names.
 * @throws ShortlistError INVALID_CONFIG with every problem: a file that cannot be read, a line that is no entry, a name or key twice
 */
export function readApiKeys({ apiKeys, apiKeysFile }: Settings['auth']): ApiKey[] {
  const { entries, problems } = readEntries(apiKeysFile);
  const keys = [...apiKeys, ...entries].map(parseEntry);
  problems.push(...findRepeated(keys));
  if (problems.length === 0) return keys;
  throw new ShortlistError('INVALID_CONFIG', 'The API keys cannot be used:', { problems });
}

function readEntries(file: string): { entries: string[]; problems: string[] } {
  if (file === '') return { entries: [], problems: [] };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { entries: [], problems: [`auth.apiKeysFile: cannot be read: ${(error as Error).message}`] };
  }
  const lines = text.split('\n').map((line, index) => ({ entry: line.trim(), number: index + 1 }));
  const given = lines.filter(({ entry }) => entry !== '' && !entry.startsWith('#'));
  const isEntry = new RegExp(API_KEY_ENTRY);
  const wrong = given.filter(({ entry }) => !isEntry.test(entry));
  if (given.length === 0) return { entries: [], problems: [`auth.apiKeysFile: ${file} has no entry`] };
  return {
    entries: given.filter(({ entry }) => isEntry.test(entry)).map(({ entry }) => entry),
    problems: wrong.map(
      // The line itself may be a key that somebody pasted in full.
      ({ number }) => `${file}: line ${number} is no entry, allowed is ${API_KEY_ENTRY_FORM}`,
    ),
  };
}

function parseEntry(entry: string): ApiKey {
  const [name, scopes, hash] = entry.split(':') as [string, string, string];
  return { name, scopes: scopes.split('+') as Scope[], hash: Buffer.from(hash, 'hex') };
}

function findRepeated(keys: readonly ApiKey[]): string[] {
  const isRepeat = (values: readonly string[]) => (_: unknown, index: number) =>
    values.indexOf(values[index]!) < index;
  const names = keys.map(({ name }) => name);
  const hashes = keys.map(({ hash }) => hash.toString('hex'));
  return [
    ...names.filter(isRepeat(names)).map((name) => `two API keys are named ${name}: names tell them apart`),
    ...names.filter(isRepeat(hashes)).map((name) => `the API key ${name} is there twice`),
  ];
}
