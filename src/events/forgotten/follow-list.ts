import { closeSync, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { findSystemFault } from '../../domain/system-failure.js';
import { createForgottenEntries, type ForgottenEntries } from './forgotten-entries.js';
import { parseLine } from './list-line.js';

/** What is wrong with a list. */
export interface ListProblem {
  /** A sentence. */
  readonly says: string;
  /** Whether entries that somebody was told of may be missing in the file: nothing is added to it then. */
  readonly isLoss: boolean;
}

/** The entries of a list in a file that other processes append to. */
export interface FollowedList {
  /** Reads what came since the last look, which costs one call of the system where nothing did. Never throws. */
  look(): ForgottenEntries;
  /** What the last look met. */
  problem(): ListProblem | undefined;
}

/** What was read of the file that has the name. */
interface Reading {
  readonly found: Stats;
  readonly entries: ForgottenEntries;
  /** Bytes of whole lines. */
  readonly bytes: number;
  readonly lines: number;
  /** Numbers of the damaged lines, from 1. */
  readonly damaged: readonly number[];
}

/**
 * Follows a list. What was known once stays known: where the file is gone, or has lost entries, that is a problem, and they count all the
 * same until the process ends.
 */
export function followList(path: string): FollowedList {
  let reading: Reading | undefined;
  let problem: ListProblem | undefined;
  /** A file that has lost entries: it is not read again at every look. */
  let refused: Stats | undefined;

  function look(): void {
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) problem = isKnown() ? lossOf(`${path} is gone`) : undefined;
      else if (isSame(found, reading?.found)) problem = describe(path, reading!);
      else if (isAppended(found, reading?.found)) take(read(path, reading!));
      else if (!isSame(found, refused)) take(read(path));
    } catch (error) {
      const system = findSystemFault(error);
      if (system === undefined) throw error;
      problem = lossOf(`${path} cannot be read (${system.code})`);
    }
  }

  function isKnown(): boolean {
    return reading !== undefined && reading.entries.size() > 0;
  }

  function take(next: Reading): void {
    const lost = reading === undefined || reading.entries === next.entries ? 0 : countLost(reading, next);
    refused = lost > 0 ? next.found : undefined;
    if (lost === 0) reading = next;
    problem = lost > 0 ? lossOf(`${path} lacks ${lost} of the users who were in it`) : describe(path, next);
  }

  const none = createForgottenEntries();
  return {
    look: () => {
      look();
      return reading?.entries ?? none;
    },
    problem: () => problem,
  };
}

function lossOf(what: string): ListProblem {
  return { says: `${what}: bring back the list as it was`, isLoss: true };
}

function describe(path: string, { damaged }: Reading): ListProblem | undefined {
  if (damaged.length === 0) return undefined;
  const [noun, verb] = damaged.length === 1 ? ['line', 'is no entry'] : ['lines', 'are no entries'];
  return {
    says: `${path}: ${noun} ${damaged.join(', ')} ${verb}: bring back a whole copy; a line that is cut off was never answered with 202, and may be removed`,
    isLoss: false,
  };
}

function isSame(found: Stats, before: Stats | undefined): boolean {
  return isOfOneFile(found, before) && found.size === before!.size && found.mtimeMs === before!.mtimeMs;
}

function isAppended(found: Stats, before: Stats | undefined): boolean {
  return isOfOneFile(found, before) && found.size > before!.size;
}

function isOfOneFile(found: Stats, before: Stats | undefined): boolean {
  // The number of a file that was removed is given to the next one.
  return found.ino === before?.ino && found.dev === before.dev && found.birthtimeMs === before.birthtimeMs;
}

/** @param before what was read of the same file; all of it is read again without it */
function read(path: string, before?: Reading): Reading {
  const file = openSync(path, 'r');
  try {
    const found = fstatSync(file);
    const { entries = createForgottenEntries(), bytes = 0, lines = 0, damaged = [] } = before ?? {};
    const content = readFrom(file, bytes, found.size);
    // A line without an end is being written, or never was: nobody was told that it is kept.
    const whole = content.subarray(0, content.lastIndexOf('\n') + 1);
    const added = whole.toString('latin1').split('\n').slice(0, -1);
    const faults = added.flatMap((line, index) => {
      const entry = line === '' ? undefined : parseLine(line);
      if (entry !== undefined) entries.add(entry);
      return line === '' || entry !== undefined ? [] : [lines + index + 1];
    });
    return {
      found,
      entries,
      bytes: bytes + whole.length,
      lines: lines + added.length,
      damaged: [...damaged, ...faults],
    };
  } finally {
    closeSync(file);
  }
}

function readFrom(file: number, start: number, end: number): Buffer {
  const content = Buffer.alloc(Math.max(0, end - start));
  let length = 0;
  for (;;) {
    const count = readSync(file, content, length, content.length - length, start + length);
    if (count === 0) return content.subarray(0, length);
    length += count;
  }
}

function countLost(before: Reading, { entries }: Reading): number {
  const kept = new Set(Array.from(entries.entries(), ([digest]) => digest));
  return Array.from(before.entries.entries()).filter(([digest]) => !kept.has(digest)).length;
}
