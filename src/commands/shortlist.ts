#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext } from './command-context.js';
import { openProgress } from './open-progress.js';
import { PACKAGE_ROOT } from './package-root.js';
import { runCommandLine } from './program.js';

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

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
