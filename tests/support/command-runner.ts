import type { CommandContext } from '../../src/commands/command-context.js';
import { runCommandLine } from '../../src/commands/program.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';

/** Runs a command line in this process; gives its exit code and what it said. */
export type CommandRunner = (...argv: string[]) => Promise<{ code: number; out: string; errors: string }>;

/** @param context what differs from the shipped configs, an empty environment and the start of 2026 */
export function createCommandRunner(context: Partial<CommandContext> = {}): CommandRunner {
  return async (...argv) => {
    const out: string[] = [];
    const errors: string[] = [];
    const code = await runCommandLine(argv, {
      env: {},
      configsDir: 'configs',
      codeVersion: '0.0.0-test',
      commandLine: 'shortlist test',
      now: () => new Date('2026-01-02T03:04:05Z'),
      openProgress: async () => SILENT_PROGRESS,
      print: (line) => out.push(line),
      printError: (line) => errors.push(line),
      ...context,
    });
    return { code, out: out.join('\n'), errors: errors.join('\n') };
  };
}
