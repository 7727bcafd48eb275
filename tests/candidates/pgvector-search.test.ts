import t from 'tap';
import { processClock } from '../../src/domain/process-clock.js';
import type { ItemSearch, SearchOptions } from '../../src/candidates/item-search.js';
import {
  connectVectorEngine,
  dropOtherVersions,
  loadItemVectors,
} from '../../src/candidates/load-item-vectors.js';
import { openPgvectorSearch } from '../../src/candidates/pgvector-search.js';
import { toVectorEngineOptions, loadPostgres, nameTable } from '../../src/candidates/vector-engine.js';
import type { ScoredItems } from '../../src/domain/top-k.js';
import { buildSettings } from '../http/build.js';
import { startFaultProxy } from '../support/tcp-fault-proxy.js';
import { engineOptions, startVectorEngine } from '../support/vector-engine.js';
import { drawItems, drawUsers } from './item-searches.js';
import { loadVersion } from './load-version.js';

const VERSION = '20260102T030405Z-0123abcd';
const OTHER = '20260203T040506Z-4567cdef';
const ITEM_COUNT = 2500;
const items = drawItems(ITEM_COUNT);
const [user] = drawUsers(items, 1);
const everything = { limit: 20, eligible: new Uint8Array(ITEM_COUNT).fill(1) };

const engine = await startVectorEngine(t);
await loadVersion(items, { port: engine.port, version: VERSION });
const FAILED = { code: 'VECTOR_ENGINE_FAILED' };
const ask = async (search: ItemSearch, options: SearchOptions = everything): Promise<ScoredItems> =>
  search.findBest(user!, options);
const patient = { calls: 1000, failureShare: 0.9, probeAfterMs: 1000 };

t.test('a version is loaded once, and an empty table of it cannot be seen', async (t) => {
  t.equal(await loadVersion(items, { port: engine.port, version: VERSION }), 0);
  const [row] = await engine.sql<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${nameTable('shortlist_items', VERSION)}`,
  );
  t.equal(row!.count, 2250, 'every item but those that nobody has touched');
});

t.test('a load that fails leaves nothing behind', async (t) => {
  const client = await connectVectorEngine(engineOptions(engine.port));
  const cutOff = (): never => {
    throw new Error('cut off');
  };
  await t.rejects(
    loadItemVectors(client, items, { table: 'shortlist_items', version: OTHER, onRows: cutOff }),
    {
      ...FAILED,
      message: 'The vector engine did not take the vectors: cut off. Its URL is VECTOR_ENGINE_URL.',
    },
  );
  t.same(
    await engine.sql(`SELECT relname FROM pg_class WHERE relname = '${nameTable('shortlist_items', OTHER)}'`),
    [],
  );
  await client.end();
});

t.test('a bundle whose vectors were not loaded is refused, with what to do', async (t) => {
  await t.rejects(openPgvectorSearch(items, OTHER, engineOptions(engine.port)), {
    code: 'INVALID_BUNDLE',
    message: `The vector engine has no table shortlist_items_20260203t040506z_4567cdef: run \`shortlist load-vectors ${OTHER}\` first.`,
  });
});

t.test('vectors of other dimensions, or of fewer items, are refused', async (t) => {
  const { factors, dimensions } = items;
  for (const other of [
    { factors, dimensions: dimensions / 2 },
    { factors: factors.subarray(0, 100 * dimensions), dimensions },
  ]) {
    await t.rejects(openPgvectorSearch(other, VERSION, engineOptions(engine.port)), {
      code: 'INVALID_BUNDLE',
      message:
        /has 2250 vectors of 13 dimensions of 20260102T030405Z-0123abcd in table .*, the bundle \d+ of/,
    });
  }
});

t.test('a table of that name that is of somebody else is refused', async (t) => {
  const table = nameTable('shortlist_items', OTHER);
  await engine.sql(`CREATE TABLE ${table} (item integer)`);
  await engine.sql(`COMMENT ON TABLE ${table} IS 'mine'`);
  await t.rejects(openPgvectorSearch(items, OTHER, engineOptions(engine.port)), { code: 'INVALID_BUNDLE' });
  await engine.sql(`DROP TABLE ${table}`);
});

t.test(
  'a table that is dropped while it is served is a failure of the engine, not of the request',
  async (t) => {
    await loadVersion(items, { port: engine.port, version: OTHER });
    const search = await openPgvectorSearch(items, OTHER, engineOptions(engine.port));
    await ask(search);
    await engine.sql(`DROP TABLE ${nameTable('shortlist_items', OTHER)}`);
    await t.rejects(ask(search), { ...FAILED, message: /does not exist/ });
    await search.close();
  },
);

t.test('an engine that is away fails at once, and answers when it is back', async (t) => {
  const options = engineOptions(engine.port, { breaker: patient });
  const search = await openPgvectorSearch(items, VERSION, options);
  const before = await ask(search);
  await engine.stop();
  await t.rejects(ask(search), FAILED);
  await t.rejects(ask(search), { ...FAILED, message: /ECONNREFUSED|terminated/ });
  const late = await openPgvectorSearch(items, VERSION, options);
  await t.rejects(ask(late), FAILED, 'a bundle opens without it');
  await engine.start();
  t.same(await ask(search), before);
  t.same(await ask(late), before);
  await Promise.all([search.close(), late.close()]);
});

t.test('an engine that hangs is waited for as long as a search has, and no longer', async (t) => {
  const proxy = await startFaultProxy(t, engine.port);
  const options = engineOptions(proxy.port, { queryTimeoutMs: 60, breaker: patient });
  const search = await openPgvectorSearch(items, VERSION, { ...options, queryTimeoutMs: 10_000 });
  const hurried = await openPgvectorSearch(items, VERSION, options);
  proxy.inject({ blackHole: true });
  await t.rejects(ask(hurried), {
    ...FAILED,
    message: /no answer within 60 ms|timeout/,
  });
  const deadline = processClock() + 200;
  await t.rejects(ask(search, { ...everything, deadline }), {
    ...FAILED,
    message: /no answer within (100|[1-9]\d) ms|timeout/,
  });
  proxy.inject({});
  await Promise.all([search.close(), hurried.close()]);
});

t.test('a request without any time left does not ask, and says nothing of the engine', async (t) => {
  const breaker = { calls: 2, failureShare: 0.4, probeAfterMs: 60_000 };
  const search = await openPgvectorSearch(items, VERSION, engineOptions(engine.port, { breaker }));
  for (let time = 0; time < 5; time++) {
    await t.rejects(ask(search, { ...everything, deadline: processClock() - 1 }), {
      ...FAILED,
      message: 'The vector engine was not asked: the request had no time left for it.',
    });
  }
  t.equal((await ask(search)).items.length, 20, 'the breaker is closed');
  await search.close();
});

t.test('after several failures the engine is left alone until a probe is answered', async (t) => {
  const breaker = { calls: 4, failureShare: 0.5, probeAfterMs: 10 };
  const search = await openPgvectorSearch(items, VERSION, engineOptions(engine.port, { breaker }));
  await engine.stop();
  const messages: string[] = [];
  const fail = async (): Promise<void> => {
    await ask(search).then(
      () => t.fail('it answered'),
      (error: Error) => messages.push(error.message),
    );
  };
  for (let time = 0; time < 8; time++) await fail();
  t.equal(messages.at(-1), 'The vector engine is left alone for a while, after it failed several times.');
  await engine.start();
  let found: unknown;
  for (let time = 0; time < 200 && found === undefined; time++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    found = await ask(search).catch(() => undefined);
  }
  t.ok(found, 'a probe beside the requests has found it');
  await search.close();
});

t.test('tables of other versions are dropped, those that are kept and those of others are not', async (t) => {
  await loadVersion(items, { port: engine.port, version: OTHER });
  await engine.sql('CREATE TABLE shortlist_items_of_mine (item integer)');
  const client = await connectVectorEngine(engineOptions(engine.port));
  t.same(await dropOtherVersions(client, { table: 'shortlist_items', keep: [VERSION] }), [
    nameTable('shortlist_items', OTHER),
  ]);
  t.same(await dropOtherVersions(client, { table: 'shortlist_items', keep: [VERSION] }), []);
  await client.end();
  t.equal((await engine.sql('SELECT 1 FROM shortlist_items_of_mine')).length, 0, 'it is there');
});

t.test('an engine that cannot be reached is told without its password', async (t) => {
  const error = await connectVectorEngine({ ...engineOptions(1), connectTimeoutMs: 1000 }).then(
    () => new Error('it connected'),
    (failure: Error) => failure,
  );
  t.match(error, { ...FAILED, message: /^The vector engine cannot be reached: .*VECTOR_ENGINE_URL\.$/ });
  t.notMatch(error.message, 'secret');
});

t.test('without pg the message says what to install and what goes without', async (t) => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'pg'"));
  await t.rejects(loadPostgres(missing), {
    code: 'INVALID_CONFIG',
    message:
      /needs the optional package pg, which is not installed .*: install it, or set vectorEngine.enabled/,
  });
});

t.test('the settings give the options of an engine', async (t) => {
  t.same(toVectorEngineOptions(buildSettings({ vectorEngine: { url: engine.url } })), {
    ...engineOptions(engine.port),
    connectTimeoutMs: 500,
    queryTimeoutMs: 50,
  });
});
