import t from 'tap';
import { createApiKey, hashApiKey, readApiKeys } from '../../src/config/api-keys.js';
import type { Settings } from '../../src/config/settings.js';
import { ShortlistError } from '../../src/domain/errors.js';

function problemsOf(auth: Partial<Settings['auth']>): readonly string[] {
  try {
    readApiKeys(authOf(auth));
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'INVALID_CONFIG') return error.problems;
    throw error;
  }
  return [];
}

function authOf(auth: Partial<Settings['auth']>): Settings['auth'] {
  return { mode: 'required', apiKeys: [], apiKeysFile: '', openRoutes: [], openListeners: [], ...auth };
}

t.test('a key has 256 random bits, and its entry holds nothing but its hash', async (t) => {
  const { key, entry } = createApiKey('app', ['read', 'write']);
  t.match(key, /^sl_[A-Za-z0-9_-]{43}$/);
  t.match(entry, /^app:read\+write:[0-9a-f]{64}$/);
  t.notMatch(entry, key.slice(3));
  t.not(createApiKey('app', ['read']).key, key);
  t.strictSame(readApiKeys(authOf({ apiKeys: [entry] })), [
    { name: 'app', scopes: ['read', 'write'], hash: hashApiKey(key) },
  ]);
});

t.test('the entries of a file come beside the others, comments and empty lines do not count', async (t) => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => createApiKey(name, ['read']).entry);
  const dir = t.testdir({ keys: `# of the shop\n${two}\r\n\n  ${three}\n` });
  const keys = readApiKeys(authOf({ apiKeys: [one!], apiKeysFile: `${dir}/keys` }));
  t.strictSame(
    keys.map(({ name }) => name),
    ['one', 'two', 'three'],
  );
});

t.test('every problem is listed, and no line of the file is shown', async (t) => {
  const { key, entry } = createApiKey('app', ['read']);
  const dir = t.testdir({ keys: `${key}\n${entry}\napp:root:${'a'.repeat(64)}\n` });
  const problems = problemsOf({ apiKeys: [entry], apiKeysFile: `${dir}/keys` });
  t.match(problems, [
    /keys: line 1 is no entry, allowed is `name:scopes:hash`/,
    /keys: line 3 is no entry/,
    'two API keys are named app: names tell them apart',
    'the API key app is there twice',
  ]);
  t.notMatch(problems.join(), key);
  t.match(problemsOf({ apiKeysFile: `${dir}/none` }), [/^auth\.apiKeysFile: cannot be read: ENOENT/]);
});

t.test('one key under two names is one key too many', async (t) => {
  const { entry } = createApiKey('app', ['read']);
  t.strictSame(problemsOf({ apiKeys: [entry, entry.replace('app', 'web')] }), [
    'the API key web is there twice',
  ]);
});

t.test('a file without an entry is refused: a secret that was not mounted looks like that', async (t) => {
  const dir = t.testdir({ empty: '', comments: '# none yet\n\n' });
  for (const name of ['empty', 'comments']) {
    t.match(problemsOf({ apiKeysFile: `${dir}/${name}` }), [/^auth\.apiKeysFile: .* has no entry$/]);
  }
});
