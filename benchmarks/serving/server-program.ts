import { runCommandLine } from '../../src/commands/program.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';

// `shortlist serve` with configs of its own: the folder is the only argument.
process.exitCode = await runCommandLine(['serve'], {
  env: process.env,
  configsDir: process.argv[2]!,
  codeVersion: '0.0.0-bench',
  commandLine: 'shortlist serve',
  now: () => new Date(),
  openProgress: async () => SILENT_PROGRESS,
  print: (line) => process.stdout.write(`${line}\n`),
  printError: (line) => process.stderr.write(`${line}\n`),
});
