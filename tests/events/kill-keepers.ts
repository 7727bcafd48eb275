import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import type { StorePlace } from './store-place.js';

/** A process lives for less than this after its first word. */
const LONGEST_LIFE_MS = 120;

/** What processes said is kept, as numbers of events, before each was killed. */
export interface Killed {
  readonly kept: Set<number>;
  readonly kills: number;
}

/** Kills processes that keep events, each at a random moment after its first word; the next one begins with what may be lost. */
export async function killKeepers(
  place: StorePlace,
  options: {
    kills: number;
    /** Number of the first event: several at once have their own. */
    from?: number;
    mode?: 'early';
    isOver?: (killed: Killed) => boolean;
    /** Something to do before a process is killed, and after. */
    onKilling?: () => Promise<void>;
    onKilled?: (kills: number) => Promise<void>;
  },
): Promise<Killed> {
  const { kills, from: start = 0, mode, isOver = () => false, onKilling, onKilled } = options;
  const random = createSeededRandom(`kill keepers from ${start}`);
  const kept = new Set<number>();
  let first = start;
  let done = 0;
  while (done < kills && !isOver({ kept, kills: done })) {
    const program = join(import.meta.dirname, 'keep-for-ever.js');
    const argv = [program, JSON.stringify(place), String(first), ...(mode === undefined ? [] : [mode])];
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'close');
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await once(child.stdout, 'data');
    await wait(random.uniform() * LONGEST_LIFE_MS);
    await onKilling?.();
    child.kill('SIGKILL');
    await ended;
    for (const [, from, to] of said.matchAll(/^(\d+) (\d+)$/gm))
      for (let n = Number(from); n < Number(to); n++) kept.add(n);
    while (kept.has(first)) first++;
    done++;
    await onKilled?.(done);
  }
  return { kept, kills: done };
}
