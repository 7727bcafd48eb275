import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lets others go first on the processor, for as long as this thread lives: it cannot be taken back. On a busy machine it still has a
 * tenth of what they have. Where threads have
 * no priority of their own, which is everywhere but on Linux, it does nothing.
 */
export function lowerPriority(): void {
  lower(() => Number(basename(readlinkSync('/proc/thread-self'))));
}

/** The same for a process that has just been started, from its first moment: loading its program is much of what it does. */
export function lowerPriorityOf({ pid }: { pid?: number | undefined }): void {
  if (pid !== undefined) lower(() => pid);
}

function lower(findId: () => number): void {
  try {
    setPriority(findId(), constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It takes no longer than with it, others only wait for it more.
  }
}
