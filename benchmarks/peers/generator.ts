import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClosedLoopResult } from './closed-loop.js';
import type { LoadTask, OpenLoopResult } from './load-program.js';

/** Whom to ask for which users, and for how long. */
export interface PeerLoad {
  readonly url: URL;
  readonly userIds: readonly string[];
  readonly seed: number;
  readonly seconds: number;
}

/** Our generator in a process of its own. */
export interface Generator {
  /** @throws Error when the target cannot be asked */
  runClosed(load: PeerLoad & { connections: number }): Promise<ClosedLoopResult>;
  /** @throws Error when the target cannot be asked */
  runOpen(load: PeerLoad & { rate: number }): Promise<OpenLoopResult>;
  stop(): void;
}

export function startGenerator(): Generator {
  const program = fork(fileURLToPath(new URL('./load-program.js', import.meta.url)));
  const died = once(program, 'exit').then(([code]) => {
    throw new Error(`the generator ended with ${code}`);
  });
  // It is told to end at last, and then nobody waits for it.
  died.catch(() => {});
  const run = async (load: PeerLoad, loop: LoadTask['loop']): Promise<unknown> => {
    const task: LoadTask = { ...load, url: load.url.href, loop };
    program.send(task);
    const [result] = (await Promise.race([once(program, 'message'), died])) as [unknown];
    return result;
  };
  return {
    runClosed: ({ connections, ...load }) => run(load, { connections }) as Promise<ClosedLoopResult>,
    runOpen: ({ rate, ...load }) => run(load, { rate }) as Promise<OpenLoopResult>,
    stop: () => program.disconnect(),
  };
}
