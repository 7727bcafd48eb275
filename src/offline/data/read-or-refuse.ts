import { readFile } from 'node:fs/promises';
import { ShortlistError } from '../../domain/errors.js';

/**
 * The bytes of a file that a person named.
 * @throws ShortlistError INVALID_CONFIG when it cannot be read
 */
export async function readOrRefuse(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}
