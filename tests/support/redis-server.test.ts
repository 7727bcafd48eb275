import { once } from 'node:events';
import { createServer } from 'node:net';
import t from 'tap';
import { createRedisServer, REDIS_MISSING, startOnFreePort } from './redis-server.js';

t.test('a server whose port somebody else has taken', { skip: REDIS_MISSING }, async (t) => {
  const server = await createRedisServer(t);
  const other = createServer().listen(server.port, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');

  await t.test('says what it printed', async (t) => {
    await t.rejects(server.start(), { message: /ended before it was ready[^]*Address already in use/ });
    await server.kill();
  });

  await t.test('is started at another port where its user has no wish', async (t) => {
    const offered = [server, await createRedisServer(t)];
    const started = await startOnFreePort(async () => offered.shift()!);
    t.not(started.port, server.port);
    await started.kill();
  });
});

t.test(
  'a server that refuses its options says so, and is not tried again',
  { skip: REDIS_MISSING },
  async (t) => {
    let made = 0;
    const create = (): ReturnType<typeof createRedisServer> => (made++, createRedisServer(t));
    await t.rejects(startOnFreePort(create, ['--no-such-option', '1']), {
      message: /It printed:[^]*Bad directive/,
    });
    t.equal(made, 1);
  },
);
