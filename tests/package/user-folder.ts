import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

/** An empty folder outside of every checkout, as a user has it, and what is run in there. */
export interface UserFolder {
  readonly path: string;
  run(command: string, ...args: readonly string[]): Promise<Finished>;
  /** Starts what goes on until it is told to stop; killed when the test ends. */
  start(command: string, ...args: readonly string[]): ChildProcess;
}

/** What npm says when it cannot reach the registry. */
const UNREACHABLE =
  /npm error code (?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT)/;

export async function createUserFolder(t: Test, variables: Record<string, string>): Promise<UserFolder> {
  const path = await mkdtemp(join(tmpdir(), 'shortlist-package-'));
  t.teardown(() => rm(path, { recursive: true, force: true }));
  const env = { ...withoutTestRunner(process.env), ...variables };
  return {
    path,
    run: (command, ...args) => run(command, args, { cwd: path, env }),
    start: (command, ...args) => {
      const child = spawn(command, args, { cwd: path, env, stdio: ['ignore', 'pipe', 'pipe'] });
      t.teardown(() => child.kill('SIGKILL'));
      return child;
    },
  };
}

/** Without a registry there is nothing to install from: the test says so, and is skipped. */
export async function findObstacle(user: UserFolder): Promise<{ skip: false | string }> {
  const question = ['view', 'openapi-fetch', 'version', '--prefer-online', '--fetch-retries=0'];
  const { errors } = await user.run('npm', ...question);
  return { skip: UNREACHABLE.test(errors) && 'the package registry cannot be reached' };
}

/** Runs a command to its end. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { ...options, maxBuffer: 64e6 }, (_failed, out, errors) => {
      resolve({ code: child.exitCode, out, errors });
    });
  });
}

/** What a process says until a pattern is found; rejects with it when the process ends before. */
export async function waitFor(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let said = '';
  return new Promise((resolve, reject) => {
    child.stdout!.resume();
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = pattern.exec(said);
      if (found !== null) resolve(found);
    });
    void once(child, 'close').then(() => reject(new Error(said)));
  });
}

/** The runner has every child load its hooks, and npm tells its scripts of the package that they are in. */
export function withoutTestRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) =>
      !/^(NODE_OPTIONS|INIT_CWD|_?TAP.*|npm_(package|lifecycle|config_local|config_omit).*)$/.test(name),
  );
  return Object.fromEntries(kept);
}
