import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { createCommandRunner } from '../support/command-runner.js';

const { key, entry } = createApiKey('app', ['read']);
const KEYS = { SHORTLIST_API_KEYS: entry };

interface Shown {
  environment: string;
  settings: { name: string; value: unknown; origin: string }[];
}

async function show(env: Record<string, string>, ...argv: string[]) {
  const { code, out, errors } = await createCommandRunner({ env })('config', '--json', ...argv);
  const { environment, settings } = JSON.parse(out) as Shown;
  const find = (name: string) => settings.find((setting) => setting.name === name)!;
  return { code, errors, out, environment, settings, find };
}

t.test('every setting is shown with the file, variable or option that set it', async (t) => {
  const shown = await show({ ...KEYS, PORT: '8080', LOG_LEVEL: '' }, '--env', 'staging', '--workers', '3');
  t.equal(shown.code, 0);
  t.equal(shown.environment, 'staging');
  t.match(shown.find('server.port'), { value: 8080, origin: 'PORT' });
  t.match(shown.find('server.host'), { value: '0.0.0.0', origin: 'configs/staging.yaml' });
  t.match(shown.find('logging.level'), { value: 'info', origin: 'configs/default.yaml' });
  t.match(shown.find('compute.workers'), { value: 3, origin: '--workers' });
  t.match((await show({})).environment, 'development');
  t.match((await show({ SHORTLIST_ENV: 'production', ...KEYS })).environment, 'production');
});

t.test('serve and config take the addresses of both listeners, over the variables', async (t) => {
  const env = { PORT: '8080', HOST: '10.0.0.1', ADMIN_PORT: '8081', ADMIN_HOST: '10.0.0.2' };
  const options = ['--host', '::1', '--port', '0', '--admin-host', '127.0.0.2', '--admin-port', '9090'];
  const shown = await show(env, ...options);
  t.equal(shown.code, 0);
  t.match(shown.find('server.host'), { value: '::1', origin: '--host' });
  t.match(shown.find('server.port'), { value: 0, origin: '--port' });
  t.match(shown.find('server.adminHost'), { value: '127.0.0.2', origin: '--admin-host' });
  t.match(shown.find('server.adminPort'), { value: 9090, origin: '--admin-port' });
  t.match((await show(env)).find('server.port'), { value: 8080, origin: 'PORT' });
  t.match(await createCommandRunner()('config', '--host', ''), {
    code: 1,
    errors: /--host: server\.host is ""/,
  });
});

t.test('no secret is shown, only that there is one', async (t) => {
  const env = {
    ...KEYS,
    REDIS_URL: 'redis://me:pass%2Fw0rd@cache:6379',
    SHORTLIST_REGISTRY: `models-${key}`,
  };
  const shown = await show(env);
  t.match(shown.find('redis.url'), { value: '[redacted]', origin: 'REDIS_URL' });
  t.match(shown.find('auth.apiKeys'), { value: ['[redacted]'] });
  for (const secret of ['w0rd', key, entry.split(':')[2]!]) t.notMatch(shown.out, secret);
  t.match((await show({})).find('redis.url'), { value: 'redis://127.0.0.1:6379' });
});

t.test('without --json it is a table', async (t) => {
  const { out } = await createCommandRunner({ env: { PORT: '8080' } })('config');
  t.match(out, /^Environment: development\n/);
  t.match(out, /\nserver\.port +8080 +PORT\n/);
  t.match(out, /\nshutdown\.drainDelayMs +0 +configs\/development\.yaml\n/);
});

t.test('what keeps the server from starting is said in the same words', async (t) => {
  for (const env of [
    { SHORTLIST_ENV: 'staging' },
    { PORT: 'many', ADMIN_PORT: '-1' },
    { SHORTLIST_API_KEYS_FILE: 'nowhere' },
    { SHORTLIST_ENV: 'moon' },
  ]) {
    const run = createCommandRunner({ env });
    const { code, errors } = await run('config');
    t.equal(code, 1);
    t.equal(errors, (await run('serve')).errors);
  }
});

t.test('scenarios that cannot be used are said too', async (t) => {
  const configsDir = join(t.testdir(), 'configs');
  await cp('configs', configsDir, { recursive: true });
  await writeFile(join(configsDir, 'scenarios/home.yaml'), 'nothing: true\n');
  t.match(await createCommandRunner({ configsDir })('config'), { code: 1, errors: /INVALID_CONFIG.*home/s });
});

t.test('an environment that is none is no command line', async (t) => {
  t.match(await createCommandRunner()('config', '--env', 'moon'), { code: 2, errors: /Allowed choices are/ });
});

t.test('an option that does not fit its setting is refused as one', async (t) => {
  const { loadSettings } = await import('../../src/config/load-settings.js');
  const flags = [{ flag: '--workers', group: 'compute', key: 'workers', value: 1000 }];
  t.throws(() => loadSettings({ configsDir: 'configs', env: {}, flags }), {
    message: /--workers: compute\.workers is 1000, allowed is an integer from 0 to 256/,
  });
});
