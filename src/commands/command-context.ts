import type { Variables } from '../config/load-settings.js';
import type { ProgressReporter } from '../offline/progress/progress.js';

/**
 * Everything of the outer world that a command may touch: nothing else reads the environment or writes to the
 * terminal.
 */
export interface CommandContext {
  readonly env: Variables;
  /** Folder that holds `default.yaml`, `datasets/`, `scenarios/` and `training.yaml`. */
  readonly configsDir: string;
  /** Version of Shortlist. */
  readonly codeVersion: string;
  /** The command line, as it can be typed again. */
  readonly commandLine: string;
  now(): Date;
  /** Where long work reports to; made when first needed, because a serving install has no progress bars. */
  openProgress(): Promise<ProgressReporter>;
  /** Writes a line to standard output: what the command was asked for. */
  print(line: string): void;
  /** Writes a line to standard error: what went wrong, and help with it. */
  printError(line: string): void;
}
