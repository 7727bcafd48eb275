import { join } from 'node:path';
import parquet, { type FieldDefinition } from 'parquetjs-lite';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import { makeInteractions } from './demo-interactions.js';
import { makeActivity, makeEmbeddings } from './demo-views.js';
import { makeItems, makeUsers } from './demo-world.js';
import { atPath } from '../../../domain/system-failure.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { replaceFolder } from '../replace-folder.js';

type Row = Readonly<Record<string, string | number | readonly number[] | undefined>>;

/**
 * Writes a made-up dataset of a film service over 16 weeks as `interactions.parquet`, `items.parquet`, `users.parquet`
 * and two feature views, `item_embeddings.parquet` and `user_activity.parquet`, into a folder, all at once; an earlier
 * folder is replaced. The same options give the same rows.
 *
 * There is something to learn for every part of a recommender: latent tastes (for collaborative filtering), the pull of
 * the film seen last, a long tail, releases and comebacks that trend and fade, genre waves, and leanings by age and
 * country. A few users and items have no interactions.
 */
export async function writeDemoData(
  outDir: string,
  options: { users?: number; items?: number; seed?: number; progress?: ProgressReporter } = {},
): Promise<void> {
  const { users: userCount = 2000, items: itemCount = 800, seed = 7, progress = SILENT_PROGRESS } = options;
  const random = createSeededRandom(seed);
  const items = makeItems(itemCount, random);
  const users = makeUsers(userCount, random);
  const step = progress.start('make demo data', userCount);
  const interactions = makeInteractions({ users, items }, random, { onUser: () => step.advance() });
  await replaceFolder(outDir, async (dir) => {
    await writeParquet(
      join(dir, 'items.parquet'),
      items.map(({ id, title, year, genres, minutes }) => ({
        item_id: id,
        title,
        year,
        genres: genres.join('|'),
        minutes,
      })),
      { item_id: 'UTF8', title: 'UTF8', year: 'INT32', genres: 'UTF8', minutes: 'INT32' },
    );
    await writeParquet(
      join(dir, 'users.parquet'),
      users.map(({ id, age, country }) => ({ user_id: id, age, country })),
      { user_id: 'UTF8', age: 'INT32', country: 'UTF8' },
    );
    await writeParquet(
      join(dir, 'interactions.parquet'),
      interactions.map(({ user, item, timestamp, value }) => ({
        user_id: users[user]!.id,
        item_id: items[item]!.id,
        timestamp,
        value,
        type: value === 5 ? 'like' : 'view',
      })),
      { user_id: 'UTF8', item_id: 'UTF8', timestamp: 'INT64', value: 'INT32', type: 'UTF8' },
    );
    // Numbers of its own, so that the tables are the same with and without these views.
    const viewRandom = createSeededRandom(`views ${seed}`);
    const embeddings = makeEmbeddings(items, viewRandom);
    await writeParquet(
      join(dir, 'item_embeddings.parquet'),
      embeddings.map(({ item, embedding, critics }) => ({ item_id: item.id, embedding, critics })),
      {
        item_id: 'UTF8',
        embedding: { type: 'FLOAT', repeated: true },
        critics: { type: 'DOUBLE', optional: true },
      },
    );
    await writeParquet(
      join(dir, 'user_activity.parquet'),
      makeActivity(users, viewRandom).map(({ user, since, trailers, favouriteGenre }) => ({
        user_id: users[user]!.id,
        since,
        trailers_4w: trailers,
        favourite_genre: favouriteGenre,
      })),
      {
        user_id: 'UTF8',
        since: 'INT64',
        trailers_4w: 'INT32',
        favourite_genre: { type: 'UTF8', optional: true },
      },
    );
  });
  step.finish(
    `${interactions.length.toLocaleString('en-GB')} interactions, ${items.length} items, ${users.length} users`,
  );
}

async function writeParquet(
  file: string,
  rows: readonly Row[],
  types: Readonly<Record<string, FieldDefinition['type'] | FieldDefinition>>,
): Promise<void> {
  const fields = Object.entries(types).map(
    ([name, type]) => [name, typeof type === 'string' ? { type } : type] as const,
  );
  await atPath(file, async () => {
    const writer = await parquet.ParquetWriter.openFile(
      new parquet.ParquetSchema(Object.fromEntries(fields)),
      file,
    );
    for (const row of rows) await writer.appendRow(row);
    await writer.close();
  });
}
