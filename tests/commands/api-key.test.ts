import t from 'tap';
import { hashApiKey, readApiKeys } from '../../src/config/api-keys.js';
import { createCommandRunner } from '../support/command-runner.js';

const run = createCommandRunner();

t.test('a key is printed with the entry that accepts it', async (t) => {
  const { code, out } = await run('api-key', 'create', '--name', 'app', '--scope', 'read,write,read');
  t.equal(code, 0);
  const [, key] = /^ {2}(sl_\S+)$/m.exec(out)!;
  const [, entry] = /^ {2}(app:\S+)$/m.exec(out)!;
  t.strictSame(readApiKeys({ mode: 'required', apiKeys: [entry!], apiKeysFile: '', openRoutes: [] }), [
    { name: 'app', scopes: ['read', 'write'], hash: hashApiKey(key!) },
  ]);
});

t.test('a script takes the key and its entry from JSON', async (t) => {
  const { code, out } = await run('api-key', 'create', '--name', 'app', '--scope', 'read,write', '--json');
  t.equal(code, 0);
  const { key, entry, ...rest } = JSON.parse(out) as { key: string; entry: string };
  t.strictSame(rest, { name: 'app', scopes: ['read', 'write'] });
  t.strictSame(readApiKeys({ mode: 'required', apiKeys: [entry], apiKeysFile: '', openRoutes: [] }), [
    { name: 'app', scopes: ['read', 'write'], hash: hashApiKey(key) },
  ]);
});

t.test('a key is for reading unless more is said', async (t) => {
  t.match(await run('api-key', 'create', '--name', 'app'), { code: 0, out: /app:read:[0-9a-f]{64}$/ });
});

t.test('a command line that makes no sense ends with 2', async (t) => {
  t.match(await run('api-key', 'create'), { code: 2, errors: /--name/ });
  t.match(await run('api-key', 'create', '--name', 'My App'), { code: 2, errors: /lower-case letters/ });
  t.match(await run('api-key', 'create', '--name', 'a', '--scope', 'root'), {
    code: 2,
    errors: /Allowed are read, write, admin/,
  });
  t.match(await run('api-key', 'delete', '--name', 'a'), { code: 2, errors: /Allowed choices are create/ });
});
