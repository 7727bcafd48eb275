import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Test } from 'tap';

/** Whether processes can be seen to be suspended here. */
export const CANNOT_SUSPEND = process.platform === 'linux' ? false : 'needs /proc';

/** A process that is suspended or killed before one of the changes that it makes to the disk. */
export interface StoppedProcess {
  /** What became of it: it is suspended now, or it has ended. */
  readonly state: 'suspended' | 'ended';
  /** Lets it go on; gives its exit code, or the signal that ended it. */
  end(): Promise<number | NodeJS.Signals>;
  /** What it has said. */
  output(): string;
}

/** Runs a program of the tests, by its path in `tests/`, up to the change of that number, from 1. */
export async function runUntil(
  t: Test,
  change: { at: number; signal: 'SIGSTOP' | 'SIGKILL' },
  program: readonly string[],
): Promise<StoppedProcess> {
  const [script, ...args] = program as [string, ...string[]];
  const tests = join(import.meta.dirname, '..');
  const child = spawn(
    process.execPath,
    ['--import', join(import.meta.dirname, 'stop-at.js'), join(tests, script), ...args],
    { env: { ...process.env, STOP_AT: String(change.at), STOP_WITH: change.signal } },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (said += String(bytes)));
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  return {
    state: await waitForStop(child),
    end: async () => {
      child.kill('SIGCONT');
      return ended;
    },
    output: () => said,
  };
}

/** Waits until a process is suspended or has ended; the test's own time limit ends it otherwise. */
export async function waitForStop({ pid, ...child }: ChildProcess): Promise<'suspended' | 'ended'> {
  for (;;) {
    const state = readState(pid!);
    if (state === 'T') return 'suspended';
    if (state === undefined || state === 'Z' || child.exitCode !== null) return 'ended';
    await wait(5);
  }
}

function readState(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2)[0];
  } catch {
    return undefined;
  }
}
