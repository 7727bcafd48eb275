import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../src/domain/event.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { openStore } from '../store-place.js';
import { connectTo, createPlace } from './redis-place.js';

const page = readFileSync('docs/events-in-redis.md', 'utf8');

/** The number that the page adds to the bytes of what is kept. */
function readOverhead(pattern: RegExp): number {
  const [, number] = pattern.exec(page) ?? [];
  return Number(number);
}

const PER_EVENT = readOverhead(/200 × \(bytes of the item's id and the type \+ (\d+)\)/);
const PER_SHORT_EVENT = readOverhead(/at most events × \(bytes of the item's id and the type \+ (\d+)\)/);
const PER_ENTRY = readOverhead(/bytes of its JSON \+ (\d+)/);

/** Events of one user with ids of so many characters, as they arrive. */
function clicks(count: number, idLength: number): UserEvent[] {
  return Array.from({ length: count }, (_, at) => ({
    eventId: `0198-${at}-5f0e-7c3a-9d21`,
    userId: `u${count}-${idLength}`,
    itemId: String(at).padStart(idLength, 'i'),
    type: 'click',
    time: 1_796_034_000 + at * 37 + ((at * 7) % 1000) / 1000,
  }));
}

async function keep(t: Test, url: string, events: readonly UserEvent[]) {
  const place = createPlace(url, { durability: 'memory' });
  const store = await openStore(place, { syncMs: 0 });
  t.teardown(() => store.close());
  for (let from = 0; from < events.length; from += 500) await store.keep(events.slice(from, from + 500));
  return { prefix: place.keyPrefix, client: connectTo(t, url) };
}

const sizeOf = async (client: Redis, key: string): Promise<number> =>
  (await client.memory('USAGE', key, 'SAMPLES', 0))!;

t.test('memory is as docs/events-in-redis.md says, to a tenth', { skip: REDIS_MISSING }, async (t) => {
  const { url } = await startRedisServer(t);

  await t.test('of a full history', async (t) => {
    for (const idLength of [3, 5, 8, 20, 36, 100]) {
      const { client, prefix } = await keep(t, url, clicks(250, idLength));
      const bytes = await sizeOf(client, `${prefix}history:user:{u250-${idLength}}`);
      const expected = 200 * (idLength + 'click'.length + PER_EVENT);
      t.ok(Math.abs(bytes / expected - 1) < 0.1, `${idLength} characters: ${bytes}, by the page ${expected}`);
    }
  });

  await t.test('of a short history, at most', async (t) => {
    for (const count of [10, 30, 60, 100, 128]) {
      for (const idLength of [5, 20, 40]) {
        const { client, prefix } = await keep(t, url, clicks(count, idLength));
        const bytes = await sizeOf(client, `${prefix}history:user:{u${count}-${idLength}}`);
        const most = count * (idLength + 'click'.length + PER_SHORT_EVENT);
        t.ok(bytes <= most, `${count} of ${idLength} characters: ${bytes}, by the page at most ${most}`);
      }
    }
  });

  await t.test('of a stream', async (t) => {
    const slate = { slateId: 'kq3kq3kq3kq3kq3kq3kq3a', context: { device: 'mobile' } };
    const events = clicks(3000, 8).map((event) => ({ ...event, ...slate }));
    const { client, prefix } = await keep(t, url, events);
    const streams = await client.keys(`${prefix}events:*`);
    t.equal(streams.length, 1, 'they are of one user');
    const bytes = (await sizeOf(client, streams[0]!)) / events.length;
    const json = events.reduce((sum, event) => sum + JSON.stringify(event).length, 0) / events.length;
    t.ok(Math.abs(bytes / (json + PER_ENTRY) - 1) < 0.1, `${bytes}, by the page ${json + PER_ENTRY}`);
  });
});
