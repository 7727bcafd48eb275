import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { basename } from 'node:path';

/**
 * Lets everybody else go first on the processor, for as long as this thread lives: it cannot be taken back. Where threads have
 * no priority of their own, which is everywhere but on Linux, it does nothing.
 */
export function lowerPriority(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW);
  } catch {
    // It takes no longer than with it, others only wait for it more.
  }
}
