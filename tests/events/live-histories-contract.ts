import type { Test } from 'tap';
import type { HistoryEvent, UserEvent } from '../../src/domain/event.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import type { Subject } from '../../src/domain/subject.js';
import type { LiveHistories } from '../../src/events/live-histories.js';
import { ODD_IDS } from './event-store-contract.js';

/** An empty place with what writes to it and what reads histories of it. */
export interface HistoriesFixture extends LiveHistories {
  keep(events: readonly UserEvent[]): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens an empty place; the suite closes it. */
export interface HistoriesFixtures {
  open(t: Test, settings: { readonly maxItems: number; readonly days: number }): Promise<HistoriesFixture>;
}

/** Unix seconds: of now, since stores forget what is old. */
const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;

/** A click of so many seconds ago. */
function click(secondsAgo: number, changes: Partial<UserEvent> = {}): UserEvent {
  return { userId: 'u1', itemId: `i${secondsAgo}`, type: 'click', time: NOW - secondsAgo, ...changes };
}

/** What a history has of an event. */
function toEntry({ itemId, type, value, time }: HistoryEvent): HistoryEvent {
  return { itemId, type, value, time };
}

/** What every implementation of `LiveHistories` promises. */
export function testLiveHistories(t: Test, { open }: HistoriesFixtures): void {
  const begin = async (
    t: Test,
    settings: { maxItems?: number; days?: number } = {},
  ): Promise<HistoriesFixture> => {
    const place = await open(t, { maxItems: 200, days: 30, ...settings });
    t.teardown(() => place.close());
    return place;
  };
  const find = async (place: HistoriesFixture, subject: Subject): Promise<HistoryEvent[]> =>
    (await place.find(subject)).map(toEntry);
  const itemsOf = async (place: HistoriesFixture, subject: Subject): Promise<string[]> =>
    (await place.find(subject)).map(({ itemId }) => itemId);

  t.test('events come oldest first, as they were told', async (t) => {
    const place = await begin(t);
    const [a, b, c, d] = [
      click(90),
      click(60.25, { type: 'purchase', value: 2.5 }),
      click(30, { value: 0, eventId: 'e', slateId: 's', context: { device: 'mobile' } }),
      click(10, { type: 'dislike', value: -1 }),
    ] as const;
    await place.keep([c, a]);
    await place.keep([d, b]);
    t.strictSame(await find(place, { userId: 'u1' }), [a, b, c, d].map(toEntry));
  });

  t.test('an event is there as soon as it is kept', async (t) => {
    const place = await begin(t);
    for (let at = 0; at < 50; at++) {
      await place.keep([click(1000 - at), click(500, { userId: 'u2' })]);
      t.equal((await itemsOf(place, { userId: 'u1' })).at(-1), `i${1000 - at}`);
    }
  });

  t.test('requests that are kept at once are all there', async (t) => {
    const place = await begin(t);
    const requests = Array.from({ length: 40 }, (_, at) => [click(1000 - at)]);
    await Promise.all(requests.map((events) => place.keep(events)));
    t.strictSame(
      await itemsOf(place, { userId: 'u1' }),
      requests.flat().map(({ itemId }) => itemId),
    );
  });

  t.test('so many of the latest are there, by their times and not by their arrival', async (t) => {
    const place = await begin(t, { maxItems: 20 });
    const events = Array.from({ length: 60 }, (_, at) => click(at + 1));
    for (const event of createSeededRandom('arrival').shuffle([...events])) await place.keep([event]);
    t.strictSame(await find(place, { userId: 'u1' }), events.slice(0, 20).reverse().map(toEntry));
  });

  t.test('what is older than so many days is not there', async (t) => {
    const place = await begin(t, { days: 2 });
    await place.keep([click(3 * DAY), click(2 * DAY + 60), click(2 * DAY - 60), click(0)]);
    t.same(await itemsOf(place, { userId: 'u1' }), [`i${2 * DAY - 60}`, 'i0']);
    await place.keep([click(5 * DAY, { userId: 'u2' })]);
    t.same(await itemsOf(place, { userId: 'u2' }), []);
  });

  t.test('a user and a session of one id never mix', async (t) => {
    const place = await begin(t);
    await place.keep([
      click(3, { userId: 'x' }),
      click(2, { userId: undefined, sessionId: 'x' }),
      click(1, { userId: 'y' }),
    ]);
    t.same(await itemsOf(place, { userId: 'x' }), ['i3']);
    t.same(await itemsOf(place, { sessionId: 'x' }), ['i2']);
    t.same(await itemsOf(place, { userId: 'x', sessionId: 'x' }), ['i3', 'i2']);
    t.same(await itemsOf(place, { sessionId: 'y' }), []);
  });

  t.test('an event of a user and a session is of both, and once of both together', async (t) => {
    const place = await begin(t);
    await place.keep([
      click(5, { userId: undefined, sessionId: 'v' }),
      click(4, { userId: 'u1' }),
      click(3, { userId: 'u1', sessionId: 'v' }),
      click(2, { userId: undefined, sessionId: 'v' }),
      click(1, { userId: 'u1' }),
      click(0, { userId: 'u2', sessionId: 'w' }),
    ]);
    t.same(await itemsOf(place, { userId: 'u1' }), ['i4', 'i3', 'i1']);
    t.same(await itemsOf(place, { sessionId: 'v' }), ['i5', 'i3', 'i2']);
    t.same(await itemsOf(place, { userId: 'u1', sessionId: 'v' }), ['i5', 'i4', 'i3', 'i2', 'i1']);
  });

  t.test('a user with a session has as many of each', async (t) => {
    const place = await begin(t, { maxItems: 2 });
    await place.keep([
      ...[30, 20, 10].map((ago) => click(ago)),
      ...[35, 25, 15].map((ago) => click(ago, { userId: undefined, sessionId: 'v' })),
    ]);
    t.same(await itemsOf(place, { userId: 'u1', sessionId: 'v' }), ['i25', 'i20', 'i15', 'i10']);
  });

  t.test('of an item, the latest word of each type is there in its order', async (t) => {
    const place = await begin(t);
    const words = [click(3, { itemId: 'i' }), click(2, { itemId: 'i', type: 'dislike' })];
    await place.keep(words);
    t.strictSame(await find(place, { userId: 'u1' }), words.map(toEntry));
    const again = click(1, { itemId: 'i' });
    await place.keep([again]);
    t.strictSame((await find(place, { userId: 'u1' })).slice(-2), [words[1]!, again].map(toEntry));
  });

  t.test('ids of every kind are found, and none is taken for another', async (t) => {
    const place = await begin(t);
    await place.keep(
      ODD_IDS.flatMap((id, at) => [
        click(at, { userId: id, itemId: id }),
        click(at, { userId: undefined, sessionId: id, itemId: `session ${id}` }),
      ]),
    );
    for (const id of ODD_IDS) {
      t.same(await itemsOf(place, { userId: id }), [id]);
      t.same(await itemsOf(place, { sessionId: id }), [`session ${id}`]);
    }
  });

  t.test('nobody in particular has no events, nor has who did nothing', async (t) => {
    const place = await begin(t);
    await place.keep([click(1)]);
    for (const subject of [{}, { itemId: 'i1' }, { userId: 'u2' }, { sessionId: 'u1' }, { userId: '' }])
      t.same(await place.find(subject), [], JSON.stringify(subject));
  });

  t.test('of thousands of events of one user the latest are there', async (t) => {
    const place = await begin(t);
    const events = Array.from({ length: 5000 }, (_, at) => click(6000 - at));
    for (let start = 0; start < events.length; start += 500)
      await place.keep(events.slice(start, start + 500));
    t.strictSame(await find(place, { userId: 'u1' }), events.slice(-200).map(toEntry));
  });
}
