import { ShortlistError } from './errors.js';

/** Details that Node gives of a failed call of the operating system. */
export interface SystemFault {
  readonly code: string;
  readonly message: string;
  readonly syscall?: string | undefined;
  readonly path?: string | undefined;
  readonly dest?: string | undefined;
}

/** Puts the path into an error of the operating system that does not name one: writes to an open file do not. @returns the error */
export function namePath(error: unknown, path: string): unknown {
  if (isSystemError(error)) error.path ??= path;
  return error;
}

/** Runs what reads or writes one file; an error of the operating system names the path. */
export async function atPath<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw namePath(error, path);
  }
}

/** The refusal of the operating system behind an error; undefined for every other error. */
export function findSystemFault(error: unknown): SystemFault | undefined {
  if (!(error instanceof Error)) return undefined;
  if (isSystemError(error)) {
    const { code, message, syscall, path, dest } = error;
    return { code: code!, message, syscall, path, dest };
  }
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  return (
    [...parts, error.cause].map(findSystemFault).find((found) => found !== undefined) ??
    findDuckdbFault(error)
  );
}

/** Says what the operating system refused, where, and what to do. */
export function toSystemFailure({ code, message, syscall, path, dest }: SystemFault): ShortlistError {
  const reason = /^[A-Z0-9]+: (.+?)(, |$)/s.exec(message)?.[1] ?? message;
  const places = path === undefined ? [] : [dest === undefined ? path : `${path} to ${dest}`];
  const what = [syscall, ...places].filter((part) => part !== undefined).join(' ');
  const advice = ADVICE[code] ?? 'Look at the file or the service that is named, and try again.';
  return new ShortlistError(
    'SYSTEM_FAILED',
    `${code} (${reason})${what === '' ? '' : `: ${what}`}. ${advice}`,
  );
}

type SystemError = NodeJS.ErrnoException & { dest?: string };

function isSystemError(error: unknown): error is SystemError {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as SystemError;
  return typeof code === 'string' && typeof syscall === 'string' && /^E[A-Z0-9]+$/.test(code);
}

/** DuckDB has the words of the system, without its codes. */
const DUCKDB_WORDS: readonly [RegExp, string][] = [
  [/No space left on device/, 'ENOSPC'],
  [/Disk quota exceeded/, 'EDQUOT'],
  [/Read-only file system/, 'EROFS'],
  [/Permission denied/, 'EACCES'],
  [/Too many open files/, 'EMFILE'],
  [/Input\/output error/, 'EIO'],
  [/File too large/, 'EFBIG'],
  [/^(Out of Memory Error|Allocation failure)|failed to (allocate|offload)/, 'ENOMEM'],
];

function findDuckdbFault({ message }: Error): SystemFault | undefined {
  if (!/^(IO|Out of Memory|Fatal|INTERNAL) Error: |^Allocation failure/.test(message)) return undefined;
  const code = DUCKDB_WORDS.find(([words]) => words.test(message))?.[1];
  const [said] = message.split('\n', 1);
  return code === undefined ? undefined : { code, message: said! };
}

const ELSEWHERE = 'or use a folder elsewhere';
const ONE_AT_A_TIME =
  'Something else writes there at the same time: run one command at a time on that folder, then run it again.';

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: `The user that runs this may not: give it the right, ${ELSEWHERE}.`,
  EBUSY: 'Something else uses it: end that, or wait for it.',
  ECONNREFUSED: 'Nothing answers there: start the service, or correct its address.',
  EDQUOT: `The disk quota of the user is used up: free some of it, ${ELSEWHERE}.`,
  EEXIST:
    'Something is there already: move it away; where another command has just written it, run them one after the other.',
  EFBIG:
    'The file grew beyond what is allowed: raise the limit (`ulimit -f`), or use a file system without it.',
  EIO: 'The disk, or the network that it is on, fails: see what the system log says of it.',
  EISDIR: 'It is a folder, where a file is needed.',
  ELOOP: 'Its symbolic links lead in a circle: correct them.',
  EMFILE: 'Too many files are open in this process: raise its limit (`ulimit -n`).',
  ENAMETOOLONG: 'The path is too long: choose a shorter one.',
  ENFILE: 'Too many files are open on this machine: close some, or raise its limit.',
  ENOENT: 'It is not there: correct the path.',
  ENOMEM: 'There is not enough memory: give the process more, or let less run beside it.',
  ENOSPC: `The disk is full: free space on it, ${ELSEWHERE}.`,
  ENOTDIR: 'A part of the path is a file, where a folder is needed.',
  ENOTEMPTY: ONE_AT_A_TIME,
  ENOTFOUND: 'No machine has this name: correct it.',
  EPERM: `The system does not allow it: change the rights or attributes of it, ${ELSEWHERE}.`,
  EROFS: `The file system is mounted read-only: mount it for writing, ${ELSEWHERE}.`,
  ESTALE: 'The network disk was changed under it: mount it anew, and try again.',
  EXDEV: 'The two paths are on different file systems: put both on one.',
};
