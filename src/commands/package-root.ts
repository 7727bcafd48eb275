import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder that Shortlist's package.json is in, above this one. */
export const PACKAGE_ROOT = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : findRoot(dirname(folder));
}
