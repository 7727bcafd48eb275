import { waitForNativeWork } from '../serving/compute/native-work.js';

/** Longer than any run of a model that serves; who ends the process does not want to wait for more. */
const PATIENCE_MS = 1000;

/**
 * The last thing before an exit. Threads that compute are let finish; one that hangs would first keep the process and then
 * abort it, so there the process kills itself, whatever its exit code was to be.
 */
export function endBusyProcess(): void {
  if (waitForNativeWork(PATIENCE_MS)) return;
  process.kill(process.pid, 'SIGKILL');
  // Process 1 of a container is deaf to its own signals; this ends it with a fault.
  process.abort();
}
