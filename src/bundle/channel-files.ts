import { Type } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import type { ChannelPointer } from './bundle-registry.js';
import type { BundleStore } from './bundle-store.js';
import { VERSION_PATTERN } from './bundle-version.js';
import { findSchemaProblems } from './schema-problems.js';

/** How many earlier versions a channel remembers. */
const HISTORY_LENGTH = 20;

const FOLDER = 'channels';
const version = Type.String({ pattern: VERSION_PATTERN.source });
const ChannelFile = Type.Object({
  version,
  previous: Type.Array(version),
  updatedAt: Type.String(),
  dataset: Type.Optional(Type.String()),
});

/** The pointers of a registry, each a small text of JSON. Their methods throw as those of a registry do. */
export interface ChannelFiles {
  /** Undefined when the channel points nowhere. */
  find(channel: string): Promise<ChannelPointer | undefined>;
  listNames(): Promise<string[]>;
  write(channel: string, pointer: Omit<ChannelPointer, 'updatedAt'>): Promise<ChannelPointer>;
  /** Points at a version of a dataset; what the channel pointed at before goes into its history. */
  move(channel: string, to: Pick<ChannelPointer, 'version' | 'dataset'>): Promise<ChannelPointer>;
}

/**
 * Reads and writes the pointers of a registry in its store.
 * @param now dates each pointer that is written
 */
export function createChannelFiles(store: BundleStore, now: () => Date): ChannelFiles {
  async function find(channel: string): Promise<ChannelPointer | undefined> {
    const name = nameOf(channel);
    const where = `${store.location}/${name}`;
    const json = await store.findText(name).catch((cause: Error) => {
      throw cause instanceof ShortlistError ? cause : invalidChannel(where, [cause.message], cause);
    });
    return json === undefined ? undefined : parseChannel(json, where);
  }

  async function write(channel: string, pointer: Omit<ChannelPointer, 'updatedAt'>): Promise<ChannelPointer> {
    const dated = { ...pointer, updatedAt: now().toISOString() };
    await store.replaceText(nameOf(channel), `${JSON.stringify(dated, undefined, 2)}\n`);
    return dated;
  }

  return {
    find,
    write,
    listNames: async () =>
      (await store.listTexts(FOLDER))
        .filter((name) => name.endsWith(ENDING))
        .map((name) => name.slice(0, -ENDING.length)),
    move: async (channel, to) => {
      const current = await find(channel);
      if (current === undefined) return write(channel, { ...to, previous: [] });
      if (current.version === to.version) return current;
      const previous = [current.version, ...current.previous].slice(0, HISTORY_LENGTH);
      return write(channel, { ...to, previous });
    },
  };
}

const ENDING = '.json';

function nameOf(channel: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(channel)) return `${FOLDER}/${channel}${ENDING}`;
  throw new ShortlistError(
    'BUNDLE_NOT_FOUND',
    `${JSON.stringify(channel)} is not the name of a channel: use lower-case letters, digits and hyphens.`,
  );
}

function parseChannel(json: string, where: string): ChannelPointer {
  let pointer: unknown;
  try {
    pointer = JSON.parse(json);
  } catch (cause) {
    throw invalidChannel(where, [`it is not JSON: ${(cause as Error).message}`], cause);
  }
  const problems = findSchemaProblems(ChannelFile, pointer);
  if (problems.length > 0) throw invalidChannel(where, problems);
  return pointer as ChannelPointer;
}

function invalidChannel(where: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `The channel file ${where} is not sound; \`shortlist publish\` or \`shortlist promote\` writes it anew once it is removed`,
    { problems, cause },
  );
}
