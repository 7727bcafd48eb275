import { Counter, type Registry } from 'prom-client';

/** The server processes of a supervisor. */
export interface ProcessMetrics {
  /** Counts a server process that ended by itself. */
  countLostProcess(): void;
  /** Counts a server process that was killed because it gave no sign of life. */
  countSilentProcess(): void;
}

/** Creates the metrics of server processes, registered with all of `registers`. */
export function createProcessMetrics(registers: Registry[]): ProcessMetrics {
  const lost = new Counter({
    name: 'shortlist_lost_processes_total',
    help: 'Server processes that ended by themselves under a supervisor.',
    registers,
  });
  const silent = new Counter({
    name: 'shortlist_silent_processes_total',
    help: 'Server processes that a supervisor killed because they gave no sign of life; they count as lost too.',
    registers,
  });
  return {
    countLostProcess: () => lost.inc(),
    countSilentProcess: () => silent.inc(),
  };
}
