import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { syncFolder } from '../../bundle/durable-files.js';
import { digestOfUser } from '../../domain/forgetting.js';
import { findSystemFault } from '../../domain/system-failure.js';
import { followList } from './follow-list.js';
import {
  forgettingFailed,
  type ForgottenUserObserver,
  type ForgottenUserStore,
} from './forgotten-user-store.js';
import { formatLine } from './list-line.js';

/** Options of `openLocalForgottenUsers`. */
export interface LocalForgottenUsersOptions {
  /** Made when the first user is forgotten. */
  readonly folder: string;
  readonly observer: ForgottenUserObserver;
  /** Unix seconds. */
  readonly clock: () => number;
}

/** The list in its folder. */
export const FORGOTTEN_FILE = 'forgotten.txt';

/**
 * Keeps the list as a text file that is only appended to, a line for each time that a user asked. Processes of one machine share it: each looks, before it
 * says that a user is not in it, whether it has grown.
 */
export function openLocalForgottenUsers(options: LocalForgottenUsersOptions): ForgottenUserStore {
  const { folder, observer, clock } = options;
  const path = join(folder, FORGOTTEN_FILE);
  const list = followList(path);
  let told: { size?: number; problem?: string | undefined } = {};

  function look(): ReturnType<typeof list.look> {
    const entries = list.look();
    const size = entries.size();
    const problem = list.problem()?.says;
    if (told.size !== size) observer.sized(size);
    if (told.problem !== problem) observer.changed(problem);
    told = { size, problem };
    return entries;
  }

  look();
  return {
    find: (userId) => look().find(userId),
    size: () => look().size(),
    entries: () => look().entries(),
    latest: () => look().latest(),
    add: async (userId) => {
      look();
      const problem = list.problem();
      // A file that was begun anew would hide from others what is known here.
      if (problem?.isLoss === true) throw forgettingFailed(problem.says);
      await append(folder, formatLine({ digest: digestOfUser(userId), at: Math.round(clock() * 1000) }));
      const at = look().find(userId);
      if (at === undefined) throw forgettingFailed(list.problem()?.says ?? `${path} was moved or removed`);
      return at;
    },
    close: () => undefined,
  };
}

async function append(folder: string, line: string): Promise<void> {
  const path = join(folder, FORGOTTEN_FILE);
  try {
    const made = await mkdir(folder, { recursive: true });
    const file = await open(path, 'a');
    try {
      // The first line feed ends what another process may have begun, and the disk had no room for.
      await file.appendFile(`\n${line}\n`);
      await file.sync();
      const [written, found] = [await file.stat(), await stat(path)];
      if (written.ino !== found.ino || written.dev !== found.dev)
        throw forgettingFailed(`${path} was moved or removed`);
    } finally {
      await file.close();
    }
    for (const each of foldersBetween(made === undefined ? folder : dirname(made), folder))
      await syncFolder(each);
  } catch (error) {
    const system = findSystemFault(error);
    if (system === undefined) throw error;
    throw forgettingFailed(`${path} cannot be written to (${system.code})`, { cause: error });
  }
}

/** Both ends included. */
function foldersBetween(top: string, folder: string): string[] {
  const folders = [top];
  for (const part of relative(top, folder).split(sep))
    if (part !== '') folders.push(join(folders.at(-1)!, part));
  return folders;
}
