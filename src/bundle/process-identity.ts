import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process, so that another one can tell whether it still lives. */
export interface ProcessIdentity {
  readonly host: string;
  /** Hash of the host, its boot and its process name space: process ids are comparable where it is equal. */
  readonly place: string;
  readonly pid: number;
  /** When it started, in ticks of its kernel, so that a later process of the same id is another one; '' where that cannot be read. */
  readonly started: string;
}

let identity: ProcessIdentity | undefined;

/** The process that runs this. */
export function identifyThisProcess(): ProcessIdentity {
  return (identity ??= {
    host: hostname(),
    place: namePlace(),
    pid: process.pid,
    started: readStat(process.pid)?.started ?? '',
  });
}

/** True for a process that lives, suspended or not; undefined where that cannot be told from here. */
export function isAlive({ place, pid, started }: ProcessIdentity): boolean | undefined {
  if (place !== identifyThisProcess().place) return undefined;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: there is one, of another user.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = readStat(pid);
  return stat === undefined || (!stat.hasEnded && (started === '' || stat.started === started));
}

/** Two containers may have one host name, and the same process ids. */
function namePlace(): string {
  const parts = [
    hostname(),
    readOrNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    readOrNothing(() => readlinkSync('/proc/self/ns/pid')),
  ];
  return createHash('sha256').update(parts.join(' ')).digest('hex').slice(0, 8);
}

/** What Linux says of a process; undefined elsewhere, and where it says nothing. */
function readStat(pid: number): { started: string; hasEnded: boolean } | undefined {
  const text = readOrNothing(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (text === undefined) return undefined;
  // The name of the program, in parentheses, may have anything in it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { started: fields[19] ?? '', hasEnded: /[ZXx]/.test(fields[0] ?? '') };
}

function readOrNothing(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
