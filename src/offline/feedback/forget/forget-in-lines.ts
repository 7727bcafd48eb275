import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { isTemporary, putInPlace, temporarySibling } from '../../../bundle/durable-files.js';
import { CLOSED_SEGMENT } from '../../../bundle/segment-name.js';
import { type ForgottenUsers, isLeftOut } from '../../../domain/forgetting.js';

/** What became of the segments of a log. */
export interface ForgottenLines {
  /** Lines that were removed. */
  readonly lines: number;
  /** Segments that were written anew, or removed where nothing was left of them. */
  readonly segments: number;
}

/** A segment that was damaged, and is kept. */
const REJECTED = `${CLOSED_SEGMENT}.rejected`;

/**
 * Writes the closed segments of a log anew that have lines of users who asked to be forgotten, of before that, without these. Segments that a process writes to are left
 * alone, and so are lines that are none of the log. A folder that is missing has none.
 */
export async function forgetInLines(folder: string, forgotten: ForgottenUsers): Promise<ForgottenLines> {
  const total = { lines: 0, segments: 0 };
  for (const name of await listFolder(folder)) {
    if (isTemporary(name)) await rm(join(folder, name));
    if (!name.endsWith(CLOSED_SEGMENT) && !name.endsWith(REJECTED)) continue;
    const lines = await forgetInSegment(join(folder, name), forgotten);
    total.lines += lines;
    total.segments += lines > 0 ? 1 : 0;
  }
  return total;
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function forgetInSegment(path: string, forgotten: ForgottenUsers): Promise<number> {
  let [kept, removed] = [0, 0];
  for await (const line of readLines(path)) {
    if (isOfForgotten(line, forgotten)) removed++;
    else kept++;
  }
  if (removed === 0) return 0;
  if (kept === 0) {
    await rm(path);
    return removed;
  }
  const temporary = temporarySibling(path);
  await pipeline(
    async function* () {
      for await (const line of readLines(path)) if (!isOfForgotten(line, forgotten)) yield `${line}\n`;
    },
    createWriteStream(temporary, { flags: 'wx' }),
  );
  await putInPlace(temporary, path);
  return removed;
}

function readLines(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Infinity });
}

function isOfForgotten(line: string, forgotten: ForgottenUsers): boolean {
  try {
    const { user, time } = JSON.parse(line) as { user?: unknown; time?: unknown };
    const seconds = Date.parse(String(time)) / 1000;
    return typeof user === 'string' && isLeftOut({ userId: user, time: seconds }, forgotten);
  } catch {
    return false;
  }
}
