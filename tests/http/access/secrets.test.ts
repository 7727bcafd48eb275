import { readFileSync } from 'node:fs';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { createApiKey, hashApiKey } from '../../../src/config/api-keys.js';
import { openRedis } from '../../../src/features/redis-connection.js';
import { createCommandRunner } from '../../support/command-runner.js';
import { startTokenIssuer } from '../../support/token-issuer.js';
import { build } from '../build.js';

const PASSWORD = 'hunter2-of-redis';
const REDIS_URL = `redis://shop:${PASSWORD}@127.0.0.1:1`;

t.test('no log and no answer holds a key, a token or a password, whatever goes wrong', async (t) => {
  const { key, entry } = createApiKey('app', ['read', 'write', 'admin']);
  const wrong = createApiKey('other', ['read']).key;
  const issuer = await startTokenIssuer(t);
  const { settings } = build(t);
  const { app, admin, service, logger, readLog, logFile } = build(t, {
    auth: { mode: 'required', apiKeys: [entry] },
    jwt: { ...settings.jwt, ...issuer.settings },
    redis: { ...settings.redis, url: REDIS_URL },
    rateLimit: { requests: 1000, windowSeconds: 60, store: 'redis' },
  });
  const token = await issuer.sign();
  const stolen = await issuer.sign({ aud: 'billing' });
  const credentials = [key, wrong, token, stolen];
  const bodies: string[] = [];
  const ask = async (listener: typeof app, request: InjectOptions) =>
    void bodies.push((await listener.inject(request)).body);

  for (const credential of credentials) {
    for (const headers of [{ authorization: `Bearer ${credential}` }, { 'x-api-key': credential }]) {
      for (const url of [
        '/recommendations/u1',
        '/recommendations/u2?limit=0',
        '/nothing',
        '/recommendations/%zz',
      ]) {
        await ask(app, { url, headers });
      }
      await ask(admin, { method: 'POST', url: '/views/users/rows', headers, payload: { rows: [{}] } });
    }
    // Where no credential belongs.
    for (const url of [`/popular?api_key=${credential}`, `/nothing/${credential}`]) {
      await ask(app, { url, headers: { 'x-api-key': key } });
    }
  }
  service.failure = new Error(`the driver says: ${REDIS_URL} refused ${key}`);
  await ask(app, { url: '/popular', headers: { 'x-api-key': key } });
  service.failure = undefined;
  issuer.mood = (response) => response.writeHead(500).end();
  await ask(app, {
    url: '/popular',
    headers: { authorization: `Bearer ${await issuer.sign({}, { kid: 'new' })}` },
  });
  logger.warn(
    { headers: { authorization: `Bearer ${key}`, 'x-api-key': key, cookie: 'a=b' } },
    `at ${REDIS_URL}`,
  );
  const client = await openRedis({ ...settings.redis, url: REDIS_URL });
  t.teardown(() => client.disconnect());
  await client.get('x').catch((error: unknown) => logger.error({ err: error }, 'Redis'));

  const log = readFileSync(logFile, 'utf8');
  t.ok(readLog().length > credentials.length * 8, 'the log is there');
  t.ok(readLog().some(({ client: name }) => name === 'key app'));
  for (const secret of [PASSWORD, hashApiKey(key).toString('hex'), ...credentials]) {
    t.notOk(log.includes(secret), 'not in the log');
  }
  const signature = token.split('.')[2]!;
  t.notOk(log.includes(signature));
  for (const secret of [PASSWORD, hashApiKey(key).toString('hex')]) t.notOk(bodies.join().includes(secret));
});

t.test('a command that fails shows no password either', async (t) => {
  const run = createCommandRunner({
    env: {
      REDIS_URL,
      SHORTLIST_REGISTRY: t.testdirName,
      SHORTLIST_API_KEYS: createApiKey('a', ['read']).key,
    },
  });
  const { code, errors } = await run('serve');
  t.equal(code, 1);
  t.match(errors, /SHORTLIST_API_KEYS: auth\.apiKeys\.0 is not what it must be/);
  t.notMatch(errors, PASSWORD);
  t.notMatch(errors, /sl_[A-Za-z0-9]/);
});

t.test('a server without a key it needs says so before it loads anything', async (t) => {
  const run = createCommandRunner({
    env: { SHORTLIST_ENV: 'production', SHORTLIST_REGISTRY: t.testdirName },
  });
  t.match(await run('serve'), {
    code: 1,
    errors: /^INVALID_CONFIG: auth\.mode is required, and there is neither/,
  });
});
