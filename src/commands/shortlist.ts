#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namePath } from '../domain/system-failure.js';
import { endBusyProcess } from '../http/end-busy-process.js';
import type { CommandContext } from './command-context.js';
import { openProgress } from './open-progress.js';
import { PACKAGE_ROOT } from './package-root.js';
import { describeError, runCommandLine } from './program.js';

/** A command that failed has nothing left to do: what it could not close holds the process no longer than this. */
const PATIENCE_MS = 5000;

process.stdout.on('error', endWithoutOutput);
// Nobody is left to be told.
process.stderr.on('error', () => undefined);
process.exitCode = await runCommandLine(process.argv.slice(2), createProcessContext());
if (process.exitCode !== 0) {
  process.on('exit', endBusyProcess);
  setTimeout(() => process.exit(), PATIENCE_MS).unref();
}

/** The real process. Configs are those of the working directory, else those that came with the package. */
function createProcessContext(): CommandContext {
  const own = join(process.cwd(), 'configs');
  return {
    env: process.env,
    configsDir: existsSync(own) ? own : join(PACKAGE_ROOT, 'configs'),
    codeVersion: readVersion(),
    commandLine: ['shortlist', ...process.argv.slice(2)].join(' '),
    now: () => new Date(),
    openProgress: () => openProgress(process.stderr),
    print: (line) => process.stdout.write(`${line}\n`),
    printError: (line) => process.stderr.write(`${line}\n`),
  };
}

/** As the signal of a closed pipe ends a program: whoever reads has what it wanted. Any other fault loses what was asked for. */
const BROKEN_PIPE = 141;

function endWithoutOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(BROKEN_PIPE);
  process.stderr.write(`${describeError(namePath(error, 'standard output'))}\n`);
  process.exit(1);
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
