import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openCompactionLog } from '../../../src/events/local/compaction-log.js';
import { openDatabase, queryRows } from '../../../src/offline/data/database.js';
import { compactEvents } from '../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../support/nobody-forgotten.js';
import { killKeepers } from '../kill-keepers.js';
import { listEvents, type LocalPlace } from '../store-place.js';

/** Every day a part; `make test-failures` the 300 of the figure. */
const KILLS = process.env['LONG_TESTS'] === '1' ? 300 : 30;
/** Kills between two compactions. */
const COMPACT_EVERY = 5;

function countStored(place: LocalPlace): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { eventId } of listEvents(place)) {
    const n = Number(eventId!.slice(1));
    counts.set(n, (counts.get(n) ?? 0) + 1);
  }
  return counts;
}

const parquetOf = ({ folder }: LocalPlace): string => join(folder, 'parquet');

/** Begins a compaction, and kills it before one of its steps, another one each time. */
function killCompaction(place: LocalPlace, kills: number): void {
  const program = join(import.meta.dirname, '../../offline/feedback/events/compact-and-die.js');
  const argv = [program, place.folder, parquetOf(place), '0', '0'];
  spawnSync(process.execPath, argv, {
    env: { ...process.env, DIE_AT: String(1 + (kills % COMPACTION_STEPS)) },
  });
}

/** Steps of a compaction with one file. */
const COMPACTION_STEPS = 6;

/** The same as `countStored`, of the parquet files. */
async function countCompacted(place: LocalPlace): Promise<Map<number, number>> {
  const { connection, close } = await openDatabase();
  const rows = await queryRows(
    connection,
    `SELECT event_id AS id, count(*)::INTEGER AS times FROM '${parquetOf(place)}/*.parquet' GROUP BY event_id`,
  );
  close();
  return new Map(rows.map(({ id, times }) => [Number(String(id).slice(1)), Number(times)]));
}

const placeOf = (t: Test): LocalPlace => ({ store: 'local', folder: join(t.testdir(), 'events') });

t.test(
  `of ${KILLS} processes that are killed, and compactions between them, no event that was acknowledged is lost or doubled`,
  async (t) => {
    const place = placeOf(t);
    const { kept } = await killKeepers(place, {
      kills: KILLS,
      onKilled: async (kills) => void (kills % COMPACT_EVERY === 0 && killCompaction(place, kills)),
    });
    t.ok(kept.size > 100 * KILLS, `${kept.size} events were acknowledged`);
    await compactEvents({
      open: () => openCompactionLog(place.folder),
      outDir: parquetOf(place),
      before: { time: 0, keptAt: 0 },
      forgotten: NOBODY_FORGOTTEN,
      progress: SILENT_PROGRESS,
    });
    for (const [where, counts] of [
      ['in the store', countStored(place)],
      ['in parquet', await countCompacted(place)],
    ] as const) {
      const lost = [...kept].filter((n) => counts.get(n) !== 1);
      const doubled = [...counts].filter(([, times]) => times !== 1);
      t.same(lost, [], `${where}: none of ${kept.size} that were acknowledged is lost`);
      t.same(doubled, [], `${where}: none of ${counts.size} is there twice`);
    }
  },
);

t.test('three processes of one file go on when one of them is killed', async (t) => {
  const place = placeOf(t);
  const killed = await Promise.all(
    [0, 1e6, 2e6].map((from) => killKeepers(place, { from, kills: Math.ceil(KILLS / 6) })),
  );
  const stored = countStored(place);
  for (const { kept } of killed) {
    t.ok(kept.size > 100, `${kept.size} events were acknowledged`);
    t.same(
      [...kept].filter((n) => stored.get(n) !== 1),
      [],
    );
  }
});

t.test('the same test finds what is acknowledged before it is kept', async (t) => {
  const place = placeOf(t);
  const isLost = (n: number): boolean => !stored.has(n);
  let stored = new Map<number, number>();
  const { kept, kills } = await killKeepers(place, {
    kills: KILLS,
    mode: 'early',
    isOver: (killed) => {
      stored = killed.kills === 0 ? stored : countStored(place);
      return [...killed.kept].some(isLost);
    },
  });
  t.ok([...kept].some(isLost), `seen after ${kills} kills`);
});
