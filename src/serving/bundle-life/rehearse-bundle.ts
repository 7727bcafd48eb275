import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ShortlistError } from '../../domain/errors.js';
import { type PackedError, unpackError } from '../../domain/packed-error.js';
import { retryDelay, type RetryPace } from '../../domain/retry-delay.js';
import type { ContentsRequest } from '../../engine/read-contents.js';

/** What the process that tries a bundle is told. */
export interface RehearsalTask {
  readonly request: ContentsRequest;
  /** It says that it lives as often as this. */
  readonly beatMs: number;
}

/** What it says: that it lives, that the bundle is sound, or what is wrong with it. */
export type RehearsalReply = 'alive' | 'sound' | { readonly refused: PackedError };

/** Bounds a rehearsal. */
export interface RehearsalOptions {
  /** Milliseconds: a process that says nothing for so long is killed. */
  readonly silenceMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Signs of life that fit into the silence that is allowed. */
const BEATS = 10;

/** A process that was silent for so much processor time hangs; one that had less may only have had to wait for others. */
const HANG_SHARE = 0.2;

/** How often a process that had no processor may be silent for the time that is allowed, one time after the other. */
const STARVED_SILENCES = 3;

/** Rehearsals of a bundle whose process was killed from outside. */
const ATTEMPTS = 3;
const PACE: RetryPace = { firstMs: 500, longestMs: 2000 };

/** What ends a process for what it does itself; any other signal comes from outside, as that of a system without memory does. */
const OWN_FAULTS: ReadonlySet<NodeJS.Signals> = new Set([
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGILL',
  'SIGSEGV',
  'SIGSYS',
  'SIGTRAP',
]);

/** The process was killed by somebody else. */
class RehearsalKilled extends ShortlistError {}

/**
 * Opens a bundle and asks it for recommendations in a process of its own that lets others go first: whatever the bundle does to who
 * opens it, it does there. A thread that hangs inside of a model can never be ended; a process can. One that somebody killed is started
 * again.
 * @throws ShortlistError as `openEngine` does; INVALID_BUNDLE when the process hangs or dies of itself; TRIAL_FAILED when it was killed again
 * and again, or had no processor to say anything with; AbortError
 */
export async function rehearseBundle(request: ContentsRequest, options: RehearsalOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryOnce(request, options);
    } catch (error) {
      if (!(error instanceof RehearsalKilled) || attempt === ATTEMPTS) throw error;
      await wait(retryDelay(attempt, PACE), undefined, { signal: options.signal });
    }
  }
}

async function tryOnce(request: ContentsRequest, { silenceMs, signal }: RehearsalOptions): Promise<void> {
  const child = fork(fileURLToPath(new URL('./rehearsal-program.js', import.meta.url)), {
    signal,
    killSignal: 'SIGKILL',
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const silence = watchSilence(child.pid!, silenceMs);
  try {
    await new Promise<void>((resolve, reject) => {
      const what = `The bundle at ${request.folder}`;
      silence.onOver = (error) => reject(error(what));
      child.on('message', (reply: RehearsalReply) => {
        if (reply === 'alive') return silence.heard();
        if (reply === 'sound') return resolve();
        reject(unpackError(reply.refused));
      });
      child.once('exit', (code, signal) => reject(toFault(what, code, signal)));
      child.once('error', reject);
      const task: RehearsalTask = { request, beatMs: silenceMs / BEATS };
      child.send(task, () => undefined);
    });
  } finally {
    silence.stop();
    process.off('exit', kill);
    kill();
  }
}

function toFault(what: string, code: number | null, signal: NodeJS.Signals | null): ShortlistError {
  if (signal === null || OWN_FAULTS.has(signal))
    return new ShortlistError(
      'INVALID_BUNDLE',
      `${what} ended the process that tried it (${signal ?? code}).`,
    );
  return new RehearsalKilled(
    'TRIAL_FAILED',
    `${what} could not be tried: the process that did was killed (${signal}).`,
  );
}

/** Tells of a process that says nothing: that it hangs, or that it cannot be told because it had no processor. */
function watchSilence(processId: number, silenceMs: number) {
  let timer: NodeJS.Timeout | undefined;
  let usedMs: number | undefined;
  let silences = 0;
  const watch = {
    onOver: (_error: (what: string) => ShortlistError): void => undefined,
    /** A sign of life. */
    heard: (): void => {
      silences = 0;
      usedMs = readProcessorMs(processId);
      schedule();
    },
    stop: (): void => clearTimeout(timer),
  };
  const schedule = (): void => {
    clearTimeout(timer);
    timer = setTimeout(look, silenceMs);
  };
  function look(): void {
    const now = readProcessorMs(processId);
    const sinceMs = now === undefined || usedMs === undefined ? 0 : now - usedMs;
    silences++;
    if (sinceMs >= HANG_SHARE * silenceMs) {
      watch.onOver((what) => {
        const how = `hangs: the process that tried it said nothing for ${silenceMs} ms.`;
        return new ShortlistError('INVALID_BUNDLE', `${what} ${how}`);
      });
    } else if (silences >= STARVED_SILENCES) {
      watch.onOver((what) => {
        const how = `the process that tried it said nothing for ${silences * silenceMs} ms, and had ${Math.round(sinceMs)} ms of a processor.`;
        return new ShortlistError('TRIAL_FAILED', `${what} could not be tried: ${how}`);
      });
    } else {
      schedule();
    }
  }
  watch.heard();
  return watch;
}

/** Linux counts in hundredths of a second, whatever its kernel ticks in. */
const TICK_MS = 10;

/** Milliseconds of a processor that a process has had; undefined where the system does not tell, or it has ended. */
function readProcessorMs(processId: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${processId}/stat`, 'utf8');
    // The name of the program, in brackets, may be anything; user and system time are the 12th and 13th field after it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}
