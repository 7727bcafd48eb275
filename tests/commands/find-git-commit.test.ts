import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { findGitCommit } from '../../src/commands/find-git-commit.js';

t.test('the commit is that of the folder itself, never of a repository around it', async (t) => {
  const dir = t.testdir({ own: {}, outer: { node_modules: { shortlist: {} } } });
  const git = (folder: string, ...argv: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...argv], {
      cwd: join(dir, folder),
      encoding: 'utf8',
    });
  for (const folder of ['own', 'outer']) git(folder, 'init', '--quiet');
  t.equal(await findGitCommit(join(dir, 'own')), undefined, 'nothing is committed yet');
  for (const folder of ['own', 'outer'])
    git(folder, 'commit', '--quiet', '--allow-empty', '--message', folder);
  t.equal(await findGitCommit(join(dir, 'own')), git('own', 'rev-parse', 'HEAD').trim());
  t.equal(await findGitCommit(join(dir, 'outer/node_modules/shortlist')), undefined);
});
