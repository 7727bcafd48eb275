import { ShortlistError } from '../domain/errors.js';

/**
 * Imports a part of `offline/`. Its libraries are optional dependencies that a serving image leaves out, so commands
 * import it when they run, not when the program starts.
 *
 * @throws ShortlistError INVALID_CONFIG when the libraries are not installed
 */
export async function importOffline<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new ShortlistError(
      'INVALID_CONFIG',
      'This installation can only serve: the libraries for preparing and training are missing. ' +
        'Install Shortlist with its optional dependencies to run this command.',
      { cause },
    );
  }
}
