import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * The commit that is checked out in a folder; undefined unless the folder is itself the top of a git checkout, as an
 * installed package inside somebody's repository is not.
 */
export async function findGitCommit(folder: string): Promise<string | undefined> {
  if (!existsSync(join(folder, '.git'))) return undefined;
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', '--verify', 'HEAD'], { cwd: folder });
    return stdout.trim();
  } catch {
    return undefined;
  }
}
