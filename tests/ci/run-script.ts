import { execFile } from 'node:child_process';

const repository = process.cwd();

export interface Run {
  readonly exitCode: number | null;
  readonly output: string;
  readonly errors: string;
}

/** Runs a script of the repository in a folder, without what the surrounding run of tap says to its children. */
export function runScript(cwd: string, [script, ...options]: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const clean = ['PATH', 'HOME'].map((name) => `${name}=${process.env[name]}`);
    const command = ['-i', ...clean, process.execPath, `${repository}/${script}`, ...options];
    const child = execFile('env', command, { cwd }, (_failed, output, errors) => {
      resolve({ exitCode: child.exitCode, output, errors });
    });
  });
}
