import { setTimeout as wait } from 'node:timers/promises';
import type { ShortlistError } from '../../src/domain/errors.js';
import type { UserEvent } from '../../src/domain/event.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { openStore, type StorePlace } from './store-place.js';

// A process that keeps events until it is killed: those with the ids n<first>, n<first + 1>, … It says `<from> <to>` when the events
// between are kept; with `early`, before they are, which a store must never do.
const [placeText, firstText, mode] = process.argv.slice(2) as [string, string, string?];
const store = await openStore(JSON.parse(placeText) as StorePlace);
const random = createSeededRandom(Number(firstText));
let next = Number(firstText);

async function keepOne(): Promise<void> {
  const from = next;
  next += 1 + random.integer(100);
  const to = next;
  const events = Array.from({ length: to - from }, (_, offset): UserEvent => {
    const n = from + offset;
    return {
      eventId: `n${n}`,
      userId: `u${n % 97}`,
      itemId: `i${n % 31}`,
      type: 'click',
      time: 1_700_000_000 + n,
    };
  });
  const kept = keepAtLast(events);
  if (mode === 'early') process.stdout.write(`${from} ${to}\n`);
  await kept;
  if (mode !== 'early') process.stdout.write(`${from} ${to}\n`);
}

/** Tells the same again while the store is away. */
async function keepAtLast(events: readonly UserEvent[]): Promise<void> {
  for (;;) {
    try {
      await store.keep(events);
      return;
    } catch (error) {
      if ((error as ShortlistError).code !== 'EVENTS_UNAVAILABLE') throw error;
      await wait(10);
    }
  }
}

async function keepOn(): Promise<void> {
  for (;;) await keepOne();
}

await Promise.all(Array.from({ length: 4 }, keepOn));
