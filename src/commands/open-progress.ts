import { createLineProgress } from '../offline/progress/line-progress.js';
import type { ProgressReporter } from '../offline/progress/progress.js';

/**
 * Progress on a stream: as a terminal shows it where the library for that is installed, else as lines.
 * @param load imports what needs the library
 */
export async function openProgress(
  stream: NodeJS.WriteStream,
  load: () => Promise<{ createTerminalProgress(stream: NodeJS.WriteStream): ProgressReporter }> = () =>
    import('../offline/progress/terminal-progress.js'),
): Promise<ProgressReporter> {
  try {
    return (await load()).createTerminalProgress(stream);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return createLineProgress(stream);
  }
}
