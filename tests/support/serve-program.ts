import { runCommandLine } from '../../src/commands/program.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';

/** The program as a process of its own, with the configs of a folder: tests of how a process ends need one. */
const [configsDir, ...argv] = process.argv.slice(2) as [string, ...string[]];
process.exitCode = await runCommandLine(argv, {
  env: process.env,
  configsDir,
  codeVersion: '0.0.0-test',
  commandLine: 'shortlist serve',
  now: () => new Date(),
  openProgress: async () => SILENT_PROGRESS,
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
});
