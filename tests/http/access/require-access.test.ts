import t from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ShortlistError } from '../../../src/domain/errors.js';
import { requireAccess } from '../../../src/http/access/require-access.js';
import { createCommandRunner } from '../../support/command-runner.js';

const KEYS = { SHORTLIST_API_KEYS: createApiKey('app', ['read']).entry };
const TOKENS = {
  SHORTLIST_JWT_JWKS_URL: 'https://id.example/keys',
  SHORTLIST_JWT_ISSUER: 'https://id.example/',
  SHORTLIST_JWT_AUDIENCE: 'shortlist',
};
const PRODUCTION = { SHORTLIST_ENV: 'production' };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    requireAccess(loadSettings({ configsDir: 'configs', env }));
  } catch (error) {
    if (error instanceof ShortlistError && error.code === 'INVALID_CONFIG') return error.problems;
    throw error;
  }
  return [];
}

const PUBLIC = /^the public listener binds .*SHORTLIST_AUTH=required.*HOST.*SHORTLIST_OPEN_LISTENERS=public/;
const ADMIN = /^the admin listener binds .*ADMIN_HOST.*SHORTLIST_OPEN_LISTENERS=admin/;
const UNUSED = /^auth\.mode is none, but .* would be accepted/;

const REFUSED: readonly [Record<string, string>, readonly RegExp[]][] = [
  [{ HOST: '0.0.0.0' }, [PUBLIC]],
  [{ HOST: '::' }, [PUBLIC]],
  [{ HOST: '::ffff:0.0.0.0' }, [PUBLIC]],
  [{ HOST: '192.0.2.7' }, [PUBLIC]],
  [{ HOST: 'this-machine' }, [PUBLIC]],
  [{ HOST: '127.0.0.1.example' }, [PUBLIC]],
  [{ HOST: '0' }, [PUBLIC]],
  [{ ADMIN_HOST: '0.0.0.0' }, [ADMIN]],
  [{ HOST: '0.0.0.0', ADMIN_HOST: '0.0.0.0' }, [PUBLIC, ADMIN]],
  [{ HOST: '0.0.0.0', SHORTLIST_OPEN_LISTENERS: 'admin' }, [PUBLIC]],
  [{ HOST: '0.0.0.0', ...KEYS }, [/^auth\.mode is none, but 1 API key would be accepted/, PUBLIC]],
  [KEYS, [UNUSED]],
  [TOKENS, [/but jwt\.jwksUrl would be accepted/]],
  [{ ...KEYS, ...TOKENS }, [/but 1 API key and jwt\.jwksUrl/]],
  [{ ...PRODUCTION, SHORTLIST_AUTH: 'none' }, [PUBLIC]],
  [{ ...PRODUCTION, SHORTLIST_AUTH: 'none', ...KEYS }, [UNUSED, PUBLIC]],
];

for (const [env, problems] of REFUSED) {
  t.test(`${JSON.stringify(Object.keys(env))} ${Object.values(env)[0]} is refused`, async (t) => {
    const found = problemsOf(env);
    t.match(found, problems);
    t.equal(found.length, problems.length);
  });
}

const ACCEPTED: readonly Record<string, string>[] = [
  {},
  { HOST: 'localhost', ADMIN_HOST: '::1' },
  { HOST: '127.0.0.9' },
  { HOST: '::ffff:127.0.0.1' },
  { HOST: '0.0.0.0', ADMIN_HOST: '0.0.0.0', SHORTLIST_AUTH: 'required', ...KEYS },
  { ...PRODUCTION, ...TOKENS },
  { ...PRODUCTION, SHORTLIST_AUTH: 'none', SHORTLIST_OPEN_LISTENERS: 'public' },
  { ...PRODUCTION, SHORTLIST_AUTH: 'none', HOST: '127.0.0.1' },
  // Both risks are named: keys that are left over ask for nothing, and nobody expects it.
  { HOST: '0.0.0.0', SHORTLIST_OPEN_LISTENERS: 'public,admin', ...KEYS },
];

for (const env of ACCEPTED) {
  t.test(`${JSON.stringify(env).slice(0, 120)} starts`, async (t) => {
    t.strictSame(problemsOf(env), []);
  });
}

t.test('serve does not start, and config says so in the same words', async (t) => {
  const env = { HOST: '0.0.0.0', ...KEYS, SHORTLIST_REGISTRY: t.testdir({}) };
  const run = createCommandRunner({ env });
  const { code, errors } = await run('serve');
  t.equal(code, 1);
  t.match(
    errors,
    /^INVALID_CONFIG: .*without credentials:\n {2}- auth\.mode is none.*\n {2}- the public listener/,
  );
  t.equal((await run('config')).errors, errors);
});

t.test('every command that reads settings names a variable that it does not know', async (t) => {
  const run = createCommandRunner({ env: { SHORTLIST_AUTHMODE: 'required' } });
  for (const command of [['serve'], ['config'], ['list'], ['gc'], ['publish']]) {
    const { code, errors } = await run(...command);
    t.equal(code, 1, command.join());
    t.match(
      errors,
      /SHORTLIST_AUTHMODE: no setting has this variable; the nearest is SHORTLIST_AUTH /,
      command.join(),
    );
  }
});
