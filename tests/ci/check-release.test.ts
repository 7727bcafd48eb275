import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runScript } from './run-script.js';

interface State {
  version?: string;
  client?: string;
  changelog?: string;
  api?: { version: string; paths: object };
}

const API = { version: '1.0.0', paths: { '/popular': {} } };
const FIRST = '## [Unreleased]\n\n## [0.1.0] - 2026-01-02\n\n- all of it\n';

/** A repository of its own that looks like this one. */
function createRepository(t: Test) {
  const folder = t.testdir({ client: {} });
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...argv], { cwd: folder });
  const write = (state: State): void => {
    const { version = '0.1.0', client = version, changelog = FIRST, api = API } = state;
    const files = {
      'package.json': { version },
      'package-lock.json': { version },
      'client/package.json': { version: client },
      'client/openapi.json': { info: { version: api.version }, paths: api.paths },
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), JSON.stringify(content));
    writeFileSync(join(folder, 'CHANGELOG.md'), `# Changelog\n\n${changelog}`);
  };
  git('init', '--quiet');
  return {
    /** Commits a state, tags it when asked, and checks it. */
    check: async (state: State, tag?: string) => {
      write(state);
      git('add', '.');
      git('commit', '--quiet', '--allow-empty', '--message', 'state');
      if (tag !== undefined) git('tag', tag);
      const { exitCode, output, errors } = await runScript(folder, ['.ci/check-release.js']);
      return { exitCode, output, errors: errors.split('\n').slice(0, -1) };
    },
  };
}

t.test('this repository agrees with itself', async (t) => {
  t.match(await runScript('.', ['.ci/check-release.js']), {
    exitCode: 0,
    output: /^Version \d+\.\d+\.\d+ .*: all agree\.\n$/,
    errors: '',
  });
});

t.test('before the first release there is no version in the changelog, and a tag needs one', async (t) => {
  const { check } = createRepository(t);
  const changelog = '## [Unreleased]\n\n- all of it\n';
  t.match(await check({ changelog }), {
    exitCode: 0,
    output: 'Version 0.1.0 (not tagged), API 1.0.0: all agree.\n',
  });
  t.match(await check({ changelog }, 'v0.1.0'), {
    exitCode: 1,
    errors: [/CHANGELOG\.md has no version/, /lines that are unreleased/],
  });
});

t.test('a release is tagged with the version that everything says', async (t) => {
  const { check } = createRepository(t);
  t.match(await check({}, 'v0.1.0'), { exitCode: 0, output: /tagged v0\.1\.0/ });
  t.match(await check({ changelog: FIRST.replace('\n\n##', '\n\n- more\n\n##') }), { exitCode: 0 });
  t.match(await check({ version: '0.2.0', client: '0.1.0' }, 'v0.3.0'), {
    exitCode: 1,
    errors: [
      'client/package.json has 0.1.0, package.json 0.2.0.',
      'The newest version of CHANGELOG.md is 0.1.0, that of package.json 0.2.0.',
      'HEAD has the tag v0.3.0, package.json 0.2.0.',
    ],
  });
});

t.test('a version that is none and a release without a date are found', async (t) => {
  const { check } = createRepository(t);
  t.match(await check({ version: '1.0', changelog: '## [1.0]\n' }), {
    exitCode: 1,
    errors: ['package.json: 1.0 is no SemVer version.', 'CHANGELOG.md: 1.0 has no date (YYYY-MM-DD).'],
  });
});

t.test('an interface that changed since the last release has another version', async (t) => {
  const { check } = createRepository(t);
  await check({}, 'v0.1.0');
  const paths = { '/popular': {}, '/new': {} };
  t.match(await check({ api: { version: '1.0.0', paths } }), {
    exitCode: 1,
    errors: ['The API changed since v0.1.0; API_VERSION of src/http/openapi.ts is still 1.0.0.'],
  });
  t.match(await check({ api: { version: '1.1.0', paths } }), { exitCode: 0 });
});

t.test('an interface that breaks clients needs a release that says so', async (t) => {
  const { check } = createRepository(t);
  await check({}, 'v0.1.0');
  const api = { version: '2.0.0', paths: {} };
  const next = (version: string) => ({ api, version, changelog: `## [${version}] - 2026-02-03\n` });
  t.match(await check(next('0.1.1')), {
    exitCode: 1,
    errors: [/^The API is 2\.0\.0.*0\.1\.1 after v0\.1\.0/],
  });
  for (const version of ['0.2.0', '1.0.0']) t.match(await check(next(version)), { exitCode: 0 }, version);
  await check(next('1.0.0'), 'v1.0.0');
  t.match(await check({ ...next('1.1.0'), api: { version: '3.0.0', paths: {} } }), { exitCode: 1 });
});
