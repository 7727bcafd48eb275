import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ShortlistError } from '../domain/errors.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import type { ContentsRequest } from '../pipeline/read-contents.js';

/** What the process that tries a bundle is told. */
export interface TrialTask {
  readonly request: ContentsRequest;
  /** It says that it lives as often as this. */
  readonly beatMs: number;
}

/** What it says: that it lives, that the bundle is sound, or what is wrong with it. */
export type TrialReply = 'alive' | 'sound' | { readonly refused: PackedError };

export interface TrialOptions {
  /** Milliseconds: a process that says nothing for so long is killed. */
  readonly silenceMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Signs of life that fit into the silence that is allowed. */
const BEATS = 10;

/**
 * Opens a bundle and asks it for recommendations in a process of its own that lets others go first: whatever the bundle does to who
 * opens it, it does there. A thread that hangs inside of a model can never be ended; a process can.
 * @throws ShortlistError as `openEngine` does; INVALID_BUNDLE when the process hangs or dies; AbortError
 */
export async function tryBundle(
  request: ContentsRequest,
  { silenceMs, signal }: TrialOptions,
): Promise<void> {
  const child = fork(fileURLToPath(new URL('./trial-program.js', import.meta.url)), {
    signal,
    killSignal: 'SIGKILL',
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const refuse = (what: string): void =>
        reject(new ShortlistError('INVALID_BUNDLE', `The bundle at ${request.folder} ${what}`));
      const listen = (): void => {
        clearTimeout(timer);
        timer = setTimeout(
          () => refuse(`hangs: the process that tried it said nothing for ${silenceMs} ms.`),
          silenceMs,
        );
      };
      child.on('message', (reply: TrialReply) => {
        if (reply === 'alive') return listen();
        if (reply === 'sound') return resolve();
        reject(unpackError(reply.refused));
      });
      child.once('exit', (code, signal) => refuse(`ended the process that tried it (${signal ?? code}).`));
      child.once('error', reject);
      const task: TrialTask = { request, beatMs: silenceMs / BEATS };
      child.send(task, () => undefined);
      listen();
    });
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
    kill();
  }
}
