import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { openRedisCompactionLog } from '../../../src/events/redis/redis-compaction-log.js';
import { openDatabase, queryRows } from '../../../src/offline/data/database.js';
import { compactEvents } from '../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../support/nobody-forgotten.js';
import { REDIS_MISSING, VALKEY, VALKEY_MISSING } from '../../support/redis-server.js';
import { patient } from '../../support/redis-view.js';
import { killKeepers } from '../kill-keepers.js';
import type { RedisPlace } from '../store-place.js';
import { createPlace, startDurableRedis } from './redis-place.js';

/** Every day a part; `make test-failures` the 300 of the figure. */
const FEW = 12;
const KILLS = process.env['LONG_TESTS'] === '1' ? 300 : FEW;
t.setTimeout(240_000 + KILLS * 10_000);

/** Kills between two compactions, of which each is killed too. */
const COMPACT_EVERY = 4;
const COMPACTION_STEPS = 50;

async function countCompacted(outDir: string): Promise<Map<number, number>> {
  if (!readdirSync(outDir).some((name) => name.endsWith('.parquet'))) return new Map();
  const { connection, close } = await openDatabase();
  const rows = await queryRows(
    connection,
    `SELECT event_id AS id, count(*)::INTEGER AS times FROM '${outDir}/*.parquet' GROUP BY event_id`,
  );
  close();
  return new Map(rows.map(({ id, times }) => [Number(String(id).slice(1)), Number(times)]));
}

function compact({ url, keyPrefix }: RedisPlace, outDir: string): Promise<unknown> {
  const redis = { ...patient(url), keyPrefix };
  return compactEvents({
    open: () => openRedisCompactionLog({ redis, durability: 'memory', syncTimeoutMs: 4000 }),
    outDir,
    before: { time: 0, keptAt: 0 },
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });
}

/** Kills servers, Redis, or both, and compactions between them; what was acknowledged and what is in parquet then. */
async function killAll(
  t: Test,
  args: readonly string[],
  options: { program?: string; durability?: 'memory'; kills?: number } = {},
) {
  const { program, durability, kills = KILLS } = options;
  const redis = await startDurableRedis(t, args, program);
  const place = createPlace(redis.url, durability && { durability });
  const outDir = mkdtempSync(join(tmpdir(), 'shortlist-kill-'));
  t.teardown(() => rmSync(outDir, { recursive: true }));
  const random = createSeededRandom('kill Redis');
  let isDown = false;
  const { kept } = await killKeepers(place, {
    kills,
    onKilling: async () => {
      const draw = random.uniform();
      if (draw < 1 / 3) return;
      await redis.kill();
      isDown = true;
      // With both of them gone at once, or the server going on when Redis is back.
      if (draw < 2 / 3) return;
      await redis.start(...args);
      isDown = false;
      await wait(100 * random.uniform());
    },
    onKilled: async (done) => {
      if (isDown) await redis.start(...args);
      isDown = false;
      if (done % COMPACT_EVERY > 0) return;
      const program = join(import.meta.dirname, 'compact-and-die.js');
      const dieAt = String(5 + random.integer(COMPACTION_STEPS));
      spawnSync(process.execPath, [program, place.url, place.keyPrefix, outDir], {
        env: { ...process.env, DIE_AT: dieAt },
      });
    },
  });
  await compact(place, outDir);
  const counts = await countCompacted(outDir);
  return {
    kept,
    lost: [...kept].filter((n) => !counts.has(n)),
    doubled: [...counts].filter(([, times]) => times !== 1),
  };
}

const SYNCED = `of ${KILLS} kills of servers and Redis, and of compactions between them, no event that was acknowledged is lost or doubled`;

t.test(SYNCED, { skip: REDIS_MISSING }, async (t) => {
  const { kept, lost, doubled } = await killAll(t, []);
  t.ok(kept.size > 50 * KILLS, `${kept.size} events were acknowledged`);
  t.same({ lost, doubled }, { lost: [], doubled: [] });
});

t.test(`the same over Valkey, which tells when it has synced`, { skip: VALKEY_MISSING }, async (t) => {
  const { kept, lost, doubled } = await killAll(t, ['--appendfsync', 'everysec'], { program: VALKEY });
  t.ok(kept.size > 10 * KILLS, `${kept.size} events were acknowledged`);
  t.same({ lost, doubled }, { lost: [], doubled: [] });
});

t.test(
  'the same test finds what a Redis without a file of its writes loses',
  { skip: REDIS_MISSING },
  async (t) => {
    const { lost } = await killAll(t, ['--appendonly', 'no'], { durability: 'memory', kills: FEW });
    t.ok(lost.length > 0, `${lost.length} events that were acknowledged are lost`);
  },
);
