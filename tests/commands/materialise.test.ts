import { join } from 'node:path';
import t from 'tap';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createRowCodec } from '../../src/features/row-codec.js';
import { createCommandRunner } from '../support/command-runner.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect } from '../support/redis-view.js';
import { publishOnlineBundle } from '../support/online-server.js';

const dir = t.testdir({ trained: {} });
const { manifest, view } = await publishOnlineBundle(dir);

/** Runs a command line against a Redis; gives its exit code and what it said. */
const run = (url: string, ...argv: string[]) =>
  createCommandRunner({
    env: { SHORTLIST_REGISTRY: join(dir, 'models'), SHORTLIST_CHANNEL: 'staging', REDIS_URL: url },
    now: () => new Date('2026-03-01T00:00:00Z'),
  })(...argv);

t.test('without Redis nothing can be loaded, and the message says where it was looked for', async (t) => {
  const { url, port } = await createRedisServer(t);
  t.match(await run(url, 'materialise'), {
    code: 1,
    errors: new RegExp(`FEATURES_FAILED: Redis at 127.0.0.1:${port} cannot be reached .*REDIS_URL`),
  });
});

t.test('users in Redis', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisServer(t);
  const client = await connect(t, url);
  const keys = createRedisKeys(view);
  const codec = createRowCodec(view);

  await t.test("materialise loads the users of the channel's bundle", async (t) => {
    t.match(await run(url, 'materialise', '--view', 'users'), {
      code: 0,
      out: `Redis serves the users of ${manifest.version}: 80 rows written.`,
    });
    t.equal(await client.get(keys.pointer), manifest.version);
    const row = await client.getBuffer(keys.loaded(manifest.version, 'u3'));
    t.equal(codec.findFault(row!), undefined);
    t.equal(codec.eventTimeOf(row!), manifest.knownUntil);
  });

  await t.test('one that was cut off goes on where it stopped', async (t) => {
    await client.set(keys.progress(manifest.version), 70);
    t.match(await run(url, 'materialise'), { code: 0, out: /10 rows written, after 70 of an earlier run/ });
  });

  await t.test('a view that is not served online, or not there, is refused by name', async (t) => {
    for (const command of ['materialise', 'push']) {
      const argv = command === 'push' ? [command, '--row', '{}'] : [command];
      t.match(await run(url, ...argv, '--view', 'items'), {
        code: 1,
        errors: /VIEW_NOT_ONLINE: The view items is served from the bundle. Say `online: redis`/,
      });
      t.match(await run(url, ...argv, '--view', 'moods'), {
        code: 1,
        errors: 'UNKNOWN_VIEW: There is no view "moods"; there are items, users.',
      });
    }
  });

  await t.test('push takes a file of any length, all of it or nothing', async (t) => {
    const row = (user: number): string => `{"id":"v${user}","values":{}}`;
    const lines = Array.from({ length: 12_000 }, (_, user) => row(user));
    const folder = t.testdir({
      good: lines.join('\n'),
      bad: lines.map((line, at) => (at % 100 === 99 ? '{}' : line)).join('\n'),
    });
    const refused = await run(url, 'push', '--file', join(folder, 'bad'));
    t.equal(refused.code, 1);
    t.match(refused.errors, 'line 100: id is missing, allowed is text that is not empty, or a whole number');
    t.match(refused.errors, 'and 140 more');
    t.equal(await client.exists(keys.pushed('v1')), 0, 'nothing was sent');
    t.match(await run(url, 'push', '--file', join(folder, 'good')), {
      out: /Pushed 12000 rows; 0 were older/,
    });
    t.equal(await client.exists(keys.pushed('v11999')), 1);
  });

  await t.test('push writes single rows, older ones not over newer ones', async (t) => {
    const [field] = view.fields;
    const row = (eventTime: string): string =>
      JSON.stringify({ id: 'u3', eventTime, values: { [field!.name]: null } });
    t.match(await run(url, 'push', '--row', row('2026-02-02T00:00:00Z')), {
      code: 0,
      out: 'Pushed 1 rows; 0 were older than what is there.',
    });
    t.match(await run(url, 'push', '--row', row('2026-02-01T00:00:00Z')), {
      code: 0,
      out: 'Pushed 0 rows; 1 were older than what is there.',
    });
    const file = join(
      t.testdir({ 'rows.jsonl': `${row('2026-02-03T00:00:00Z')}\n{"id":"u4","values":{}}\n` }),
      'rows.jsonl',
    );
    t.match(await run(url, 'push', '--file', file), { code: 0, out: /Pushed 2 rows; 0 were/ });
    const stored = await client.getBuffer(keys.pushed('u4'));
    t.equal(
      codec.eventTimeOf(stored!),
      Date.parse('2026-03-01T00:00:00Z') / 1000,
      'now, when it is not said',
    );
    t.ok((await client.ttl(keys.pushed('u4'))) > 0);
  });
});

t.test('a push that makes no sense is refused before Redis is asked', async (t) => {
  const nowhere = 'redis://127.0.0.1:1';
  t.match(await run(nowhere, 'push'), { code: 1, errors: /INVALID_REQUEST: Give either --row or --file/ });
  t.match(await run(nowhere, 'push', '--row', '{}', '--file', 'x'), { code: 1, errors: /either/ });
  t.match(await run(nowhere, 'push', '--file', join(dir, 'none')), {
    code: 1,
    errors: /none cannot be read: ENOENT/,
  });
  t.match(await run(nowhere, 'push', '--row', '[]'), { code: 1, errors: /line 1: it is not a JSON object/ });
});
