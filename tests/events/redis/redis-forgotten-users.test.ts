import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { digestOfUser } from '../../../src/domain/forgetting.js';
import {
  openRedisForgottenUsers,
  type RedisForgottenUsersOptions,
} from '../../../src/events/redis/redis-forgotten-users.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { impatient, patient } from '../../support/redis-view.js';
import { type OpenForgottenUsers, testForgottenUsers } from '../forgotten/forgotten-users-contract.js';
import { connectTo, createPlace, startDurableRedis } from './redis-place.js';

function openerOf(
  t: Test,
  url: string,
  keyPrefix: string,
  changes: Partial<RedisForgottenUsersOptions> = {},
): OpenForgottenUsers {
  return async (observer = {}) => {
    const users = await openRedisForgottenUsers({
      redis: { ...patient(url), keyPrefix },
      durability: 'required',
      syncTimeoutMs: 4000,
      observer: { sized: () => undefined, changed: () => undefined, ...observer },
      ...changes,
    });
    t.teardown(() => users.close());
    return users;
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await wait(5);
}

t.test('in Redis', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  testForgottenUsers(t, 'redis', async (t) => openerOf(t, server.url, createPlace('').keyPrefix));

  t.test('a list of thousands is read whole', async (t) => {
    const open = openerOf(t, server.url, 'many:');
    const client = connectTo(t, server.url);
    const pipeline = client.pipeline();
    for (let index = 0; index < 2500; index++)
      pipeline.xadd('many:forgotten', '*', 'user', digestOfUser(`u${index}`));
    await pipeline.exec();
    const users = await open();
    t.equal(users.size(), 2500);
    t.ok(users.find('u2499'));
  });

  t.test('another machine knows a user within a moment, without asking', async (t) => {
    const open = openerOf(t, server.url, 'two:');
    const [one, two] = [await open(), await open()];
    for (let index = 0; index < 50; index++) {
      const id = `u${index}`;
      const at = await one.add(id);
      await until(() => two.find(id) !== undefined);
      t.equal(two.find(id), at);
    }
  });

  t.test('nothing of an id is written down', async (t) => {
    const users = await openerOf(t, server.url, 'secret:')();
    await users.add('somebody');
    const client = connectTo(t, server.url);
    t.match(await client.xrange('secret:forgotten', '-', '+'), [
      [String, ['user', digestOfUser('somebody')]],
    ]);
  });

  t.test(
    'a list that lost users is told of, still counts, and takes nobody in until it is back',
    async (t) => {
      const problems: (string | undefined)[] = [];
      const users = await openerOf(t, server.url, 'lost:')({ changed: (problem) => problems.push(problem) });
      const at = await users.add('u1');
      const client = connectTo(t, server.url);
      await client.rename('lost:forgotten', 'lost:away');
      await until(() => problems.length > 0);
      t.match(problems, [
        /^lost:forgotten in Redis lacks 1 of the users who were in it: bring back the list/,
      ]);
      t.equal(users.find('u1'), at);
      await t.rejects(users.add('u2'), { code: 'FORGETTING_FAILED', message: /lacks 1 of the users/ });
      await client.rename('lost:away', 'lost:forgotten');
      await until(() => problems.length > 1);
      t.same(problems.slice(1), [undefined]);
      t.ok(await users.add('u2'));
      t.equal(users.find('u1'), at);
    },
  );

  t.test('a key of another kind is a reason, and stays as it is', async (t) => {
    const client = connectTo(t, server.url);
    await client.set('other:forgotten', 'theirs');
    const problems: (string | undefined)[] = [];
    const users = await openerOf(t, server.url, 'other:')({ changed: (problem) => problems.push(problem) });
    t.match(problems, [/holds something else/]);
    t.equal(users.find('u1'), undefined);
    await t.rejects(users.add('u1'), { code: 'FORGETTING_FAILED', message: /holds something else/ });
    t.equal(await client.get('other:forgotten'), 'theirs');
  });
});

t.test('a Redis that cannot say that an entry is on its disk', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const users = await openerOf(t, server.url, 'a:')();
  await t.rejects(users.add('u1'), {
    code: 'FORGETTING_FAILED',
    message: /Redis keeps no file of its writes/,
  });
  t.ok(
    await (await openerOf(t, server.url, 'b:', { durability: 'memory' })()).add('u1'),
    'is enough where that is said',
  );
});

t.test('an entry that was answered is there after a kill', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const users = await openerOf(t, server.url, '')();
  for (let index = 0; index < 20; index++) await users.add(`u${index}`);
  await server.kill();
  await server.start();
  const read = await openerOf(t, server.url, '')();
  t.equal(read.size(), 20);
  await until(() => users.size() === 20);
  // The connection comes back by itself.
  for (;;) {
    try {
      await users.add('u20');
      break;
    } catch {
      await wait(20);
    }
  }
  await until(() => read.find('u20') !== undefined);
  t.equal(read.find('u20'), users.find('u20'));
});

t.test(
  'while Redis is away what is known counts, and nobody is taken in',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await startDurableRedis(t);
    const problems: (string | undefined)[] = [];
    const quick = { redis: { ...impatient(server.url), keyPrefix: '' } };
    const open = openerOf(t, server.url, '', quick);
    const users = await open({ changed: (problem) => problems.push(problem) });
    const at = await users.add('u1');
    await server.kill();
    await until(() => problems.length > 0);
    t.match(problems[0], /Redis cannot be asked/);
    t.equal(users.find('u1'), at);
    await t.rejects(users.add('u2'), { code: 'FORGETTING_FAILED', message: /Redis cannot be asked/ });
    const late: (string | undefined)[] = [];
    const begun = await open({ changed: (problem) => late.push(problem) });
    t.equal(begun.find('u1'), undefined, 'a process that begins meanwhile knows nobody,');
    t.match(late, [/Redis cannot be asked/], 'says so,');
    await server.start();
    await until(() => begun.find('u1') === at);
    await until(() => late.at(-1) === undefined && problems.at(-1) === undefined);
    t.equal(users.find('u1'), at, 'and knows them when it is back');
  },
);

t.test('a Redis that hangs is away', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const quick = { redis: { ...impatient(server.url), keyPrefix: '' }, syncTimeoutMs: 100 };
  const problems: (string | undefined)[] = [];
  const users = await openerOf(t, server.url, '', quick)({ changed: (problem) => problems.push(problem) });
  const at = await users.add('u1');
  server.pause();
  await until(() => problems.length > 0);
  t.equal(users.find('u1'), at);
  server.resume();
  await until(() => problems.at(-1) === undefined);
  t.ok(users.find('u1'));
});

t.test('in a cluster', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const open = openerOf(t, cluster.url, 'c:', { durability: 'memory' });
  const [one, two] = [await open(), await open()];
  for (let index = 0; index < 20; index++) await one.add(`u${index}`);
  await until(() => two.size() === 20);
  t.same(new Map(two.entries()), new Map(one.entries()));
});

t.test('a list that is closed holds no process', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const users = await openerOf(t, server.url, '')();
  users.close();
  const client = new Redis(server.url);
  for (;;) {
    const clients = String(await client.client('LIST'))
      .trim()
      .split('\n');
    if (clients.length === 1) break;
    await wait(5);
  }
  client.disconnect();
  t.pass();
});
