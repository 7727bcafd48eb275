#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namePath } from '../domain/system-failure.js';
import type { CommandContext } from './command-context.js';
import { openProgress } from './open-progress.js';
import { PACKAGE_ROOT } from './package-root.js';
import { describeError, runCommandLine } from './program.js';

process.stdout.on('error', endWithoutOutput);
// Nobody is left to be told.
process.stderr.on('error', () => undefined);
process.exitCode = await runCommandLine(process.argv.slice(2), createProcessContext());

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
