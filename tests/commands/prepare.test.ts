import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../src/offline/data/database.js';
import { compacted } from '../offline/data/prepare/compacted-events.js';
import { createCommandRunner } from '../support/command-runner.js';
import { createWorkplace } from './workplace.js';

const CONFIG = `name: shop
description: Clicks.
licence: none
path: PATH
interactions:
  sql: SELECT user_id, item_id, timestamp FROM '{path}/clicks.csv'
evaluation: { protocol: chronological }
`;

/** Writes one compacted event into a folder of events. */
async function writeEvent(folder: string, user: string): Promise<void> {
  await mkdir(join(folder, 'parquet'), { recursive: true });
  const { parquet } = compacted({ user, item: 'x', type: 'click', time: 1_700_000_000 });
  const database = await openDatabase();
  await database.connection.run(
    `COPY (${parquet}) TO '${join(folder, 'parquet/events-20231114-0a.parquet')}' (FORMAT parquet)`,
  );
  database.close();
}

t.test('events come from events.folder, or from the folder that the option names', async (t) => {
  const { dir, configsDir } = await createWorkplace(t);
  const run = createCommandRunner({ configsDir });
  const [kept, other] = [join(dir, 'kept'), join(dir, 'other')];
  await writeEvent(kept, 'of the setting');
  await writeEvent(other, 'of the option');
  await appendFile(
    join(dir, 'clicks.csv'),
    'user_id,item_id,timestamp\nann,x,1700000000\nbob,y,1700000060\n',
  );
  const file = join(configsDir, 'datasets/shop.yaml');
  await writeFile(file, CONFIG.replace('PATH', dir));
  const defaults = join(configsDir, 'default.yaml');
  await writeFile(
    defaults,
    (await readFile(defaults, 'utf8')).replace(/folder: data\/events\b/, `folder: ${kept}`),
  );
  const prepare = async (...options: string[]) =>
    run('prepare', '--dataset', 'shop', '--data', join(dir, 'data'), ...options);

  t.notMatch((await prepare()).out, /are events/, 'a dataset that takes none');
  const refused = await prepare('--events', other);
  t.equal(refused.code, 1);
  t.match(refused.errors, `--events ${other}: dataset shop takes no events; interactions.events: true`);

  await writeFile(
    file,
    CONFIG.replace('PATH', dir).replace('interactions:', 'interactions:\n  events: true'),
  );
  t.match((await prepare()).out, `1 rows are events, from 1 files of ${kept}/parquet`);
  t.match((await prepare('--events', other)).out, `1 rows are events, from 1 files of ${other}/parquet`);
  t.match((await prepare('--events', join(dir, 'no'))).out, `no rows are events: ${dir}/no/parquet has none`);
});
