import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';

/** A process that ended by itself, or was killed because it answered nothing. */
export interface LostProcess {
  readonly place: number;
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly how: string;
  /** Whether it was killed because it answered nothing. */
  readonly wasSilent: boolean;
  /** What it said of why it cannot serve, when it did. */
  readonly err?: unknown;
  /** Until another one is started in its place. */
  readonly restartMs: number;
}

/** How often, and how soon, lost processes are started anew. */
export interface RestartOptions extends Pick<
  Settings['supervisor'],
  'maxDeaths' | 'deathWindowMs' | 'restartDelayMs' | 'maxRestartDelayMs'
> {
  /** From 0 to below 1; of the time before a process is started anew. */
  readonly random: () => number;
  /** Is told of each process that was lost and will be replaced. */
  readonly onLost: (end: LostProcess) => void;
  /** Is told when too many were: none is started any more. */
  readonly onGivenUp: (error: ShortlistError) => void;
}

/** Starts other processes in the places of those that were lost. */
export interface ProcessRestarts {
  /** Has another process started after a while, or gives up. */
  replace(end: Omit<LostProcess, 'restartMs'>): void;
  /** None is started any more. */
  cancel(): void;
}

/**
 * Creates what paces restarts: the more processes end within a window, the longer the next one waits.
 * @param options.start starts a process in a place, from 1
 */
export function createProcessRestarts(
  options: RestartOptions & { readonly start: (place: number) => void },
): ProcessRestarts {
  const { start, onLost, onGivenUp, deathWindowMs } = options;
  const countDeath = createDeathCount(options);
  const pending = new Map<number, NodeJS.Timeout>();
  return {
    replace: (end) => {
      const { deaths, restartMs } = countDeath();
      if (restartMs === undefined) {
        const what = `${deaths} server processes ended within ${deathWindowMs} ms, the last one with ${end.how}; no more are started.`;
        onGivenUp(new ShortlistError('PROCESS_FAILED', what));
        return;
      }
      onLost({ ...end, restartMs });
      pending.set(
        end.place,
        setTimeout(() => start(end.place), restartMs),
      );
    },
    cancel: () => {
      for (const timer of pending.values()) clearTimeout(timer);
    },
  };
}

/** Counts processes that end by themselves; says how long to wait before another one is started, or that too many have ended. */
function createDeathCount(options: RestartOptions) {
  const { maxDeaths, deathWindowMs, restartDelayMs, maxRestartDelayMs, random } = options;
  /** On the clock of `performance.now()`. */
  let deaths: number[] = [];
  return (): { deaths: number; restartMs: number | undefined } => {
    const now = performance.now();
    deaths = [...deaths.filter((time) => now - time < deathWindowMs), now];
    if (deaths.length > maxDeaths) return { deaths: deaths.length, restartMs: undefined };
    // Full jitter: processes that one thing ended together do not start together.
    const longestMs = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** (deaths.length - 1));
    return { deaths: deaths.length, restartMs: Math.round(random() * longestMs) };
  };
}
