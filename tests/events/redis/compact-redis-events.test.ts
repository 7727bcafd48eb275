import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../src/domain/event.js';
import {
  openRedisCompactionLog,
  type RedisCompactionOptions,
  type RedisCompactionRange,
} from '../../../src/events/redis/redis-compaction-log.js';
import { openDatabase, queryRows } from '../../../src/offline/data/database.js';
import { compactEvents, type EventsToCompact } from '../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { createCommandRunner } from '../../support/command-runner.js';
import { NOBODY_FORGOTTEN } from '../../support/nobody-forgotten.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { patient } from '../../support/redis-view.js';
import { click } from '../event-store-contract.js';
import { listAll, openStore, type RedisPlace } from '../store-place.js';
import { connectTo, createPlace, startDurableRedis } from './redis-place.js';

type OpenLog = () => Promise<EventsToCompact<RedisCompactionRange>>;

const NOTHING_OLD = { time: 0, keptAt: 0 };

/** An empty place with its compaction. */
function actOn(t: Test, place: RedisPlace) {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-compact-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const outDir = join(folder, 'parquet');
  const { url, keyPrefix, durability = 'required' } = place;
  const options: RedisCompactionOptions = {
    redis: { ...patient(url), keyPrefix },
    durability,
    syncTimeoutMs: 4000,
  };
  return {
    place,
    folder,
    outDir,
    openLog: () => openRedisCompactionLog(options),
    keep: async (events: readonly UserEvent[]) => {
      const store = await openStore(place, { syncMs: 0 });
      const keeping = await store.keep(events);
      await store.close();
      return keeping;
    },
    compact: (open: OpenLog = () => openRedisCompactionLog(options)) =>
      compactEvents({
        open,
        outDir,
        before: NOTHING_OLD,
        forgotten: NOBODY_FORGOTTEN,
        progress: SILENT_PROGRESS,
      }),
    files: () => (existsSync(outDir) ? readdirSync(outDir).filter((file) => file.endsWith('.parquet')) : []),
    query: async (sql: string) => {
      const { connection, close } = await openDatabase();
      const rows = await queryRows(connection, sql.replace('EVENTS', `'${outDir}/events-*.parquet'`));
      close();
      return rows;
    },
  };
}

const IDS = 'SELECT event_id AS id FROM EVENTS ORDER BY sequence';
/** Of many users, so that every stream has some. */
const clicks = (...ids: string[]): UserEvent[] =>
  ids.map((eventId) => click({ eventId, userId: `user of ${eventId}` }));
const numbered = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => `e${from + n}`);

t.test('events of Redis become parquet', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startDurableRedis(t);

  await t.test('with every column, in the order in which Redis took them, and are removed', async (t) => {
    const { place, keep, compact, query, files, outDir } = actOn(t, createPlace(url));
    const whole: UserEvent = {
      eventId: 'e"1',
      userId: 'ü"1',
      sessionId: 'v1',
      itemId: 'i1',
      type: 'purchase',
      value: -0.1,
      time: 1_767_398_399.678,
      slateId: 's1',
      context: { device: 'mobile', visits: 3, member: true },
    };
    await keep([whole]);
    await keep([{ sessionId: 'v2', itemId: 'i2', type: 'click', time: 1_767_398_400 }]);
    const { events, files: written, removed } = await compact();
    t.same({ events, removed }, { events: 2, removed: { events: 2, ids: 0 } });
    t.match(files(), [/^events-20\d{6}-[0-9a-f]{12}\.parquet$/]);
    t.same(
      written,
      files().map((name) => join(outDir, name)),
    );
    const [first, second] = await query('SELECT * FROM EVENTS ORDER BY sequence');
    t.strictSame(
      { ...first },
      {
        sequence: 1n,
        user: 'ü"1',
        session: 'v1',
        item: 'i1',
        type: 'purchase',
        value: -0.1,
        time: 1_767_398_399.678,
        event_id: 'e"1',
        slate_id: 's1',
        context: '{"device":"mobile","visits":3,"member":true}',
      },
    );
    t.match(second, { sequence: 2n, user: null, session: 'v2', value: null, event_id: null, context: null });
    t.same(await listAll(place), [], 'what is in parquet is not in memory any more');
    t.same(await keep([whole]), ['duplicate'], 'and is known');
  });

  await t.test('each once, by as many runs as there are, with numbers that go on', async (t) => {
    const { keep, compact, query, files } = actOn(t, createPlace(url));
    const ids = numbered(3000);
    for (let from = 0; from < 3000; from += 1000) {
      await keep(clicks(...ids.slice(from, from + 1000)));
      t.equal((await compact()).events, 1000);
      t.match(await compact(), { events: 0, files: [] });
    }
    t.equal(files().length, 3);
    t.same((await query(IDS)).map(({ id }) => String(id)).toSorted(), ids.toSorted());
    t.same(
      await query(
        'SELECT min(sequence)::INT AS a, max(sequence)::INT AS b, count(DISTINCT sequence)::INT AS n FROM EVENTS',
      ),
      [{ a: 1, b: 3000, n: 3000 }],
    );
  });

  await t.test('of one user in the order in which they were told', async (t) => {
    const { keep, compact, query } = actOn(t, createPlace(url));
    const ids = numbered(2000);
    await keep(ids.map((eventId) => click({ eventId, userId: 'u1' })));
    await compact();
    t.same(
      (await query(IDS)).map(({ id }) => id),
      ids,
    );
  });

  await t.test('and what comes meanwhile is for the next run', async (t) => {
    const { place, openLog, keep, compact, query } = actOn(t, createPlace(url));
    await keep(clicks('a', 'b'));
    const during: OpenLog = async () => {
      const log = await openLog();
      return {
        ...log,
        begin: async () => {
          const range = await log.begin();
          await keep(clicks('c'));
          return range;
        },
      };
    };
    t.equal((await compact(during)).events, 2);
    t.equal((await listAll(place)).length, 1);
    t.equal((await compact()).events, 1);
    t.equal((await query(IDS)).length, 3);
  });

  await t.test('by one run at a time', async (t) => {
    const { openLog, keep, compact, query } = actOn(t, createPlace(url));
    await keep(clicks(...numbered(500)));
    const runs = await Promise.all([compact(openLog), compact(openLog), compact(openLog)]);
    t.same(
      runs.map(({ events }) => events).toSorted((a, b) => a - b),
      [0, 0, 500],
    );
    t.equal((await query(IDS)).length, 500);
  });

  await t.test('but for what somebody else wrote among them', async (t) => {
    const { place, keep, compact, query } = actOn(t, createPlace(url));
    const client = connectTo(t, url);
    await keep(clicks('a'));
    const stream = `${place.keyPrefix}events:0`;
    await client.xadd(stream, '*', 'hello', 'world');
    await client.xadd(stream, '*', 'event', 'no JSON');
    await client.xadd(stream, '*', 'event', '{"itemId":1}');
    t.equal((await compact()).events, 1);
    t.same(await query(IDS), [{ id: 'a' }]);
    t.equal(await client.xlen(stream), 0);
  });

  await t.test('killed at any step and run again, each once, in the same files', async (t) => {
    const run = ({ place, outDir }: ReturnType<typeof actOn>, dieAt: number) =>
      spawnSync(
        process.execPath,
        [join(import.meta.dirname, 'compact-and-die.js'), url, place.keyPrefix, outDir],
        {
          encoding: 'utf8',
          env: { ...process.env, DIE_AT: String(dieAt) },
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
    const ids = numbered(40);
    const begin = async () => {
      const acting = actOn(t, createPlace(url));
      await acting.keep(clicks(...ids));
      return acting;
    };
    /** Every day a part; `make test-failures` all. */
    const stride = process.env['LONG_TESTS'] === '1' ? 1 : 7;
    const undisturbed = await begin();
    const steps = Number(run(undisturbed, 0).stdout);
    t.ok(steps > 40, `${steps} steps: each command of Redis, each file, and the end`);
    t.equal((await undisturbed.query(IDS)).length, 40);
    for (let dieAt = 1; dieAt <= steps; dieAt += stride) {
      const killed = await begin();
      t.equal(run(killed, dieAt).signal, 'SIGKILL', `step ${dieAt}`);
      const before = killed.files().map((file) => [file, readFileSync(join(killed.outDir, file), 'base64')]);
      // What comes before the second run is no part of what the first one began.
      await killed.keep(clicks('late'));
      t.equal(run(killed, 0).status, 0);
      for (const [file, bytes] of before)
        t.equal(
          readFileSync(join(killed.outDir, file!), 'base64'),
          bytes,
          'a file that is there stays as it is',
        );
      t.same(
        (await killed.query('SELECT event_id AS id FROM EVENTS ORDER BY id')).map(({ id }) => id),
        [...ids, 'late'].toSorted(),
        `each once after a kill at step ${dieAt}`,
      );
      t.same(await listAll(killed.place), []);
      t.equal(
        (await killed.query('SELECT count(DISTINCT sequence)::INT AS n FROM EVENTS'))[0]!['n'],
        41,
        'and under a number of its own',
      );
    }
  });

  await t.test('the same test finds a mark that is set before the files are there', async (t) => {
    const { openLog, keep, compact, query } = actOn(t, createPlace(url));
    await keep(clicks('a', 'b'));
    const early: OpenLog = async () => {
      const log = await openLog();
      return {
        ...log,
        read: async function* (range) {
          await log.finish(range);
          yield* [];
          throw new Error('killed');
        },
      };
    };
    await t.rejects(compact(early), { message: 'killed' });
    await keep(clicks('c'));
    await compact();
    t.same(await query(IDS), [{ id: 'c' }], 'a and b are lost');
  });

  await t.test('by the command', async (t) => {
    const { place, keep, files, folder } = actOn(t, createPlace(url));
    await keep(clicks('a', 'b'));
    const run = createCommandRunner({
      env: {
        SHORTLIST_EVENTS_STORE: 'redis',
        REDIS_URL: url,
        SHORTLIST_REDIS_PREFIX: place.keyPrefix,
        SHORTLIST_EVENTS_FOLDER: folder,
      },
    });
    const { code, out } = await run('events', 'compact');
    t.equal(code, 0);
    t.match(out, /^2 events: .*parquet\/events-20\d{6}-[0-9a-f]{12}\.parquet; 2 are removed from Redis\./);
    t.equal(files().length, 1);
  });
});

/**
 * A Redis that was killed in the middle of writing what one script did: at the next start it drops that, and leaves the first part in its
 * file. One event is there from before.
 */
async function beginCut(t: Test) {
  const server = await startDurableRedis(t);
  const acting = actOn(t, createPlace(server.url));
  const ids = numbered(30);
  const events = ids.map((eventId) => click({ eventId, userId: 'u1' }));
  await acting.keep([click({ eventId: 'before' })]);
  await acting.keep(events);
  await server.kill();
  const folder = join(server.dir, 'appendonlydir');
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.incr.aof'));
  const text = readFileSync(join(folder, name!), 'latin1');
  truncateSync(join(folder, name!), text.indexOf('"e20"') + 10);
  await server.start();
  t.equal((await listAll(acting.place)).length, 1);
  return { ...acting, server, ids, events };
}

t.test('events that a crash of Redis has doubled are in parquet once', { skip: REDIS_MISSING }, async (t) => {
  const { server, place, ids, events, keep, compact, query } = await beginCut(t);
  t.same([...new Set(await keep(events))], ['accepted'], 'nothing of it is known');
  await server.kill();
  await server.start();
  t.ok((await listAll(place)).length > 31, 'at the start after that, it takes the first part up again');
  t.same([...new Set(await keep(events))], ['duplicate']);
  t.equal((await compact()).events, 31);
  t.same(
    (await query(IDS)).map(({ id }) => id),
    ['before', ...ids],
  );
  t.same(await listAll(place), []);
});

t.test('what is kept after a crash of Redis survives the next one', { skip: REDIS_MISSING }, async (t) => {
  const { server, place, keep } = await beginCut(t);
  // By one command, if a script did no more than it must.
  await keep([{ userId: 'u1', itemId: 'kept', type: 'click', time: 1_767_323_045 }]);
  await server.kill();
  await server.start();
  t.equal((await listAll(place)).filter(({ itemId }) => itemId === 'kept').length, 1);
});

t.test('a compaction between two crashes of Redis is not taken back', { skip: REDIS_MISSING }, async (t) => {
  const { server, keep, compact, query } = await beginCut(t);
  t.equal((await compact()).events, 1);
  await server.kill();
  await server.start();
  await keep([click({ eventId: 'after' })]);
  await compact();
  t.equal((await query(IDS)).filter(({ id }) => id === 'before').length, 1);
  t.equal((await query(IDS)).filter(({ id }) => id === 'after').length, 1);
});

t.test('the command says what is in Redis, and what is wrong with it', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startDurableRedis(t);
  const { place, keep, compact } = actOn(t, createPlace(url));
  const env = { SHORTLIST_EVENTS_STORE: 'redis', REDIS_URL: url, SHORTLIST_REDIS_PREFIX: place.keyPrefix };
  const run = createCommandRunner({ env });
  t.match(await run('events', 'check'), {
    code: 0,
    out: /0\.0 MB\nIt is whole\.\n0 events, 0 of them in no parquet file yet\.$/m,
  });
  await keep([...clicks('a', 'b'), click({ type: 'purchase', time: 1_700_000_000 })]);
  const { code, out } = await run('events', 'check');
  t.equal(code, 0);
  t.match(
    out,
    /^Redis at 127\.0\.0\.1:\d+: 0\.0 MB\nIt is whole\.\n3 events, 3 of them in no parquet file yet\./,
  );
  t.match(out, /from 2023-11-14T22:13:20\.000Z to 2026-01-02T03:04:05\.000Z/);
  t.match(out, /\| 20\d\d-\d\d-\d\d \| +click \| +2 \|\n\| 20\d\d-\d\d-\d\d \| purchase \| +1 \|/);
  t.match(JSON.parse((await run('events', 'check', '--json')).out), {
    contents: {
      rows: 3,
      uncompactedRows: 3,
      counts: [
        { type: 'click', rows: 2 },
        { type: 'purchase', rows: 1 },
      ],
    },
    problems: [],
  });
  await compact();
  t.match(await run('events', 'check'), { code: 0, out: /0 events/ });

  const client = connectTo(t, url);
  await client.config('SET', 'appendfsync', 'no');
  await client.xadd(`${place.keyPrefix}events:3`, '*', 'hello', 'world');
  t.match(await run('events', 'check'), {
    code: 1,
    errors: /is not whole, or not to be used:[^]*appendfsync is no[^]*1 entries of the streams are no events/,
  });
  await client.set(`${place.keyPrefix}events:4`, 'hello');
  t.match(await run('events', 'check'), { code: 1, errors: /events:4 is a string in place of a stream/ });
});

t.test('a Redis that is away is told by its address', async (t) => {
  const run = createCommandRunner({
    env: { SHORTLIST_EVENTS_STORE: 'redis', REDIS_URL: 'redis://:secret@127.0.0.1:1' },
  });
  const { code, errors } = await run('events', 'compact');
  t.equal(code, 1);
  t.match(errors, /EVENTS_UNAVAILABLE: Redis at 127\.0\.0\.1:1 cannot be reached/);
  t.notMatch(errors, /secret/);
});

t.test('a Redis without a disk is compacted where that is said to do', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisServer(t);
  const place = createPlace(url, { durability: 'memory' });
  const { keep, compact, query } = actOn(t, place);
  await keep(clicks('a'));
  const strict = actOn(t, { ...place, durability: 'required' });
  await t.rejects(strict.compact(), { code: 'EVENTS_UNAVAILABLE', message: /keeps no file of its writes/ });
  t.equal((await compact()).events, 1);
  t.same(await query(IDS), [{ id: 'a' }]);
});

t.test('a cluster is compacted as one', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisCluster(t, t.testdir());
  const { keep, compact, query } = actOn(t, createPlace(url, { durability: 'memory' }));
  await keep(clicks(...numbered(400)));
  t.equal((await compact()).events, 400);
  await keep(clicks(...numbered(400, 200)));
  t.match(await compact(), { events: 200, removed: { events: 200 } });
  t.equal((await query('SELECT count(DISTINCT event_id)::INT AS n FROM EVENTS'))[0]!['n'], 600);
  t.equal((await query(IDS)).length, 600);
});
