import { closeSync, fstatSync, openSync, readSync, statSync, type BigIntStats } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isTemporary, replaceFile } from '../bundle/durable-files.js';
import { createFolderStore } from '../bundle/folder-store.js';
import { withLock } from '../bundle/with-lock.js';
import type { OverridesDocument } from '../config/override-config.js';
import { ShortlistError } from '../domain/errors.js';
import { findSystemFault } from '../domain/system-failure.js';
import { NO_OVERRIDES } from '../rules/overrides.js';
import {
  createOverrideHolder,
  overridesChanged,
  overridesUnavailable,
  refuseProblems,
} from './override-holder.js';
import type { IfMatch, OpeningOptions, OverrideStore, Replacement } from './override-store.js';
import {
  type DocumentRules,
  findSizeProblem,
  readOverrides,
  type ReadOverrides,
  toOverrides,
  writeOverrides,
} from './parse-overrides.js';

/** Options of `openLocalOverrides`. */
export interface LocalOverridesOptions extends OpeningOptions, DocumentRules {
  /** Read where it is there; its folder is made for the first document. */
  readonly file: string;
}

/** What a file looked like when it was looked at. */
type Sight = string;

/**
 * Keeps the document as a file of YAML that people may edit, too. It is looked at twice within `pollMs`, and taken when two looks in a row find
 * the same: an editor that empties a file before it writes it, or removes it before it renames another, changes nothing meanwhile.
 * @throws ShortlistError INVALID_CONFIG for a file that is wrong at the start, where that is strict
 */
export function openLocalOverrides(options: LocalOverridesOptions): OverrideStore {
  const { file, pollMs, observer } = options;
  const holder = createOverrideHolder(observer);
  let taken: Sight | undefined;
  let seen: Sight | undefined;

  function take(): void {
    const { sight, read } = readFile(options);
    taken = sight;
    seen = sight;
    if (read.problems === undefined) holder.take(read.overrides);
    else holder.meet(read.problems);
  }

  function look(): void {
    const sight = lookAt(file);
    const isSettled = sight === seen;
    seen = sight;
    if (isSettled && sight !== taken) take();
  }

  take();
  if (options.isStrict) refuseProblems(holder.view.problems());
  const looking = setInterval(look, pollMs / LOOKS).unref();
  return {
    ...holder.view,
    replace: async (document, { ifMatch }) => {
      const before = await replaceDocument(document, ifMatch, options);
      take();
      return { before, after: toOverrides(document) };
    },
    close: () => clearInterval(looking),
  };
}

const LOOKS = 2;

function lookAt(file: string): Sight {
  try {
    const found = statSync(file, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? 'none' : describe(found);
  } catch (error) {
    return String(error);
  }
}

function describe({ ino, dev, size, mtimeNs, ctimeNs }: BigIntStats): Sight {
  return [ino, dev, size, mtimeNs, ctimeNs].join(' ');
}

/** @returns the file as it is, with what it looked like before it was read: what changes meanwhile is seen at the next look */
function readFile({ file, scenarios }: LocalOverridesOptions): { sight: Sight; read: ReadOverrides } {
  const sight = lookAt(file);
  if (sight === 'none') return { sight, read: { overrides: NO_OVERRIDES } };
  try {
    const content = readBytes(file);
    if (typeof content === 'string') return { sight, read: { problems: [`${file}: ${content}`] } };
    return { sight, read: readOverrides(content, file, { scenarios }) };
  } catch (error) {
    const system = findSystemFault(error);
    if (system === undefined) throw error;
    return { sight, read: { problems: [`${file}: cannot be read (${system.code})`] } };
  }
}

/** @returns the bytes of a file, or why it is too large to be read */
function readBytes(file: string): Buffer | string {
  const open = openSync(file, 'r');
  try {
    const { size } = fstatSync(open);
    const problem = findSizeProblem(size);
    if (problem !== undefined) return problem;
    const content = Buffer.alloc(size);
    let length = 0;
    for (;;) {
      const count = readSync(open, content, length, size - length, length);
      length += count;
      if (count === 0) return content.subarray(0, length);
    }
  } finally {
    closeSync(open);
  }
}

/** @returns the version that was there */
async function replaceDocument(
  document: OverridesDocument,
  ifMatch: IfMatch,
  options: LocalOverridesOptions,
): Promise<Replacement['before']> {
  const { file } = options;
  const folder = dirname(file);
  try {
    await mkdir(folder, { recursive: true });
    const lock = { purpose: 'PUT /overrides', name: basename(file), waitMs: LOCK_MS };
    return await withLock(
      createFolderStore(folder, () => new Date()),
      lock,
      async ({ confirm }) => {
        const { read } = readFile(options);
        const before = read.problems === undefined ? read.overrides.version : undefined;
        const isMeant = ifMatch === '*' || (before !== undefined && ifMatch.includes(before));
        if (!isMeant) throw overridesChanged({ before, versions: ifMatch });
        await removeAbandoned(file);
        await confirm();
        await replaceFile(file, writeOverrides(document));
        return before;
      },
    );
  } catch (error) {
    const isLocked = error instanceof ShortlistError && ['LOCKED', 'CONFLICT'].includes(error.code);
    if (isLocked) throw overridesUnavailable(error.message, { cause: error });
    const system = findSystemFault(error);
    if (system === undefined) throw error;
    throw overridesUnavailable(`${file} cannot be written (${system.code})`, { cause: error });
  }
}

const LOCK_MS = 5000;

/** What a process that was killed while it wrote has left. Only who has the lock writes. */
async function removeAbandoned(file: string): Promise<void> {
  const names = await readdir(dirname(file));
  for (const name of names)
    if (isTemporary(name) && name.startsWith(`.${basename(file)}.`))
      await rm(join(dirname(file), name), { force: true });
}
