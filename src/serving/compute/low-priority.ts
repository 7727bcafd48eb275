import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lets others go first on the processor, for as long as this thread lives, and the processes that it starts: it cannot be taken back.
 * On a busy machine it still has a tenth of what they have. Where threads have no priority of their own, which is everywhere but on
 * Linux, it does nothing.
 */
export function lowerPriority(): void {
  try {
    setPriority(
      Number(basename(readlinkSync('/proc/thread-self'))),
      constants.priority.PRIORITY_BELOW_NORMAL,
    );
  } catch {
    // It takes no longer than with it, others only wait for it more.
  }
}
