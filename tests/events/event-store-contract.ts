import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import type { UserEvent } from '../../src/domain/event.js';
import type { EventStore, Keeping } from '../../src/events/event-store.js';
import { listAll, type ListedEvent, openStore, type StorePlace } from './store-place.js';

const TIME = 1_767_323_045;

/** A click of a user, with what a test changes. */
export function click(changes: Partial<UserEvent> = {}): UserEvent {
  return { userId: 'u1', itemId: 'i1', type: 'click', time: TIME, ...changes };
}

/** Keeps events by a process of its own. */
export async function keepElsewhere(place: StorePlace, events: readonly UserEvent[]): Promise<Keeping[]> {
  const argv = [join(import.meta.dirname, 'keep-events.js'), JSON.stringify(place), JSON.stringify(events)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return JSON.parse(said) as Keeping[];
}

/** Ids of every kind that a request may name, and some that it may not: a store changes none. */
export const ODD_IDS = [
  'plain',
  "o'hara",
  '"quoted"',
  'back\\slash',
  'line\nfeed\ttab',
  '%s ? :name $1 --; DROP TABLE events',
  '__proto__',
  'constructor',
  ' ',
  '  spaces  ',
  'NULL',
  '1',
  '1.0',
  '01',
  'x'.repeat(256),
  'żółć',
  'فارسی',
  '日本語',
  '👩‍👩‍👧‍👦',
  '\u202etfel',
  'e\u0301',
  '\u00e9',
];

/** The same events with all that was told of them; of two users none comes before the other. */
function sameEvents(t: Test, listed: readonly ListedEvent[], told: readonly object[]): void {
  const sort = (events: readonly object[]): object[] =>
    events
      .map((event) => Object.entries(event).filter(([name]) => name !== 'sequence'))
      .map((entries) => Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1))))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  t.strictSame(sort(listed), sort(told));
}

/** What every event store promises. @param create gives an empty place */
export function testEventStore(t: Test, create: (t: Test) => StorePlace | Promise<StorePlace>): void {
  /** An open store of an empty place. */
  const begin = async (t: Test): Promise<{ place: StorePlace; store: EventStore }> => {
    const place = await create(t);
    const store = await openStore(place);
    t.teardown(() => store.close());
    return { place, store };
  };

  t.test('an event is kept as it was told', async (t) => {
    const { place, store } = await begin(t);
    const whole: UserEvent = {
      eventId: '9f2',
      userId: '42',
      sessionId: 'v-17',
      itemId: '318',
      type: 'purchase',
      value: -0.1,
      time: TIME + 0.678,
      slateId: 'kq3',
      context: { device: 'mobile', visits: 3, ratio: 0.1, member: true, 'a "b"': '' },
    };
    const visitor: UserEvent = { sessionId: 'v-17', itemId: '318', type: 'click', time: TIME, value: 0 };
    t.same(await store.keep([whole, visitor]), ['accepted', 'accepted']);
    sameEvents(t, await listAll(place), [whole, visitor]);
  });

  t.test('an event with an id counts once: in one batch, in two, and after a restart', async (t) => {
    const { place, store } = await begin(t);
    const [a, b, c] = ['a', 'b', 'c'].map((eventId) => click({ eventId }));
    t.same(await store.keep([a!, a!, b!]), ['accepted', 'duplicate', 'accepted']);
    t.same(await store.keep([b!, c!, a!]), ['duplicate', 'accepted', 'duplicate']);
    await store.close();
    const again = await openStore(place);
    t.teardown(() => again.close());
    t.same(await again.keep([c!, click({ eventId: 'd' }), a!]), ['duplicate', 'accepted', 'duplicate']);
    t.same(
      (await listAll(place)).map(({ eventId }) => eventId),
      ['a', 'b', 'c', 'd'],
    );
  });

  t.test('requests that come at once share what is known of an id', async (t) => {
    const { place, store } = await begin(t);
    const kept = await Promise.all(Array.from({ length: 20 }, () => store.keep([click({ eventId: 'a' })])));
    t.same(kept.flat().filter((keeping) => keeping === 'accepted').length, 1);
    t.equal((await listAll(place)).length, 1);
  });

  t.test('an event counts once whichever process is told', async (t) => {
    const { place, store } = await begin(t);
    const [a, b] = [click({ eventId: 'a' }), click({ eventId: 'b' })];
    await store.keep([a]);
    t.same(await keepElsewhere(place, [a, b]), ['duplicate', 'accepted']);
    t.same(await store.keep([b]), ['duplicate'], 'the first process sees it at its next request');
    t.equal((await listAll(place)).length, 2);
  });

  t.test('three processes that are told the same at once keep it once', async (t) => {
    const { place } = await begin(t);
    const events = Array.from({ length: 300 }, (_, index) => click({ eventId: `e${index}` }));
    const kept = await Promise.all([1, 2, 3].map(() => keepElsewhere(place, events)));
    t.equal(kept.flat().filter((keeping) => keeping === 'accepted').length, 300);
    t.equal(new Set((await listAll(place)).map(({ eventId }) => eventId)).size, 300);
    t.equal((await listAll(place)).length, 300);
  });

  t.test('the same id of another user or session is another event', async (t) => {
    const { place, store } = await begin(t);
    const eventId = 'a';
    const events = [
      click({ eventId, userId: 'u1' }),
      click({ eventId, userId: 'u2' }),
      click({ eventId, userId: undefined, sessionId: 'u1' }),
      click({ eventId, userId: undefined, sessionId: 'u2' }),
      // A user with another session is the same user.
      click({ eventId, userId: 'u1', sessionId: 'u3' }),
      // Neither can be made of the other by writing them one after the other.
      click({ eventId: '","a', userId: 'u' }),
      click({ eventId: 'a', userId: 'u","' }),
    ];
    t.same(
      await store.keep(events),
      events.map((_, index) => (index === 4 ? 'duplicate' : 'accepted')),
    );
    t.equal((await listAll(place)).length, 6);
  });

  t.test('an event without an id counts as often as it is sent', async (t) => {
    const { place, store } = await begin(t);
    t.same(await store.keep([click(), click()]), ['accepted', 'accepted']);
    t.same(await store.keep([click()]), ['accepted']);
    t.equal((await listAll(place)).length, 3);
  });

  t.test('events stay in the order in which they were told', async (t) => {
    const { place, store } = await begin(t);
    const requests = Array.from({ length: 200 }, (_, request) =>
      Array.from({ length: 1 + (request % 4) }, (_, index) => click({ itemId: `${request}-${index}` })),
    );
    await Promise.all(requests.map((events) => store.keep(events)));
    const kept = await listAll(place);
    t.strictSame(
      kept.map(({ itemId }) => itemId),
      requests.flat().map(({ itemId }) => itemId),
    );
    t.ok(kept.every(({ sequence }, index) => sequence > (kept[index - 1]?.sequence ?? 0)));
  });

  t.test('ids of every kind come back as they were, and none is taken for another', async (t) => {
    const { place, store } = await begin(t);
    const events = ODD_IDS.flatMap((id) => [
      click({ userId: id, itemId: id, eventId: id.slice(0, 128), slateId: id, context: { [id]: id } }),
      click({ userId: undefined, sessionId: id, itemId: id, eventId: id.slice(0, 128) }),
    ]);
    t.same([...new Set(await store.keep(events))], ['accepted']);
    t.same([...new Set(await store.keep(events))], ['duplicate']);
    const told = events.map((event) =>
      Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined)),
    );
    sameEvents(t, await listAll(place), told);
  });

  t.test('a thousand requests at once are all kept', async (t) => {
    const { place, store } = await begin(t);
    const kept = await Promise.all(
      Array.from({ length: 1000 }, (_, request) =>
        store.keep([click({ eventId: `${request}-a` }), click({ eventId: `${request}-b` })]),
      ),
    );
    t.same(
      kept.filter((keeping) => keeping.join() !== 'accepted,accepted'),
      [],
    );
    t.equal((await listAll(place)).length, 2000);
  });

  t.test('nothing is kept of nothing', async (t) => {
    const { store } = await begin(t);
    t.same(await store.keep([]), []);
  });

  t.test('closing waits for all that was told, and takes no more', async (t) => {
    const { place, store } = await begin(t);
    const keeping = Array.from({ length: 50 }, (_, index) => store.keep([click({ eventId: `e${index}` })]));
    await store.close();
    t.equal((await listAll(place)).length, 50);
    t.same(
      (await Promise.all(keeping)).flat(),
      Array.from({ length: 50 }, () => 'accepted'),
    );
    await t.rejects(store.keep([click()]), { code: 'EVENTS_UNAVAILABLE' });
    await store.close();
  });

  t.test('a mistake in one request costs nobody else anything', async (t) => {
    const { place, store } = await begin(t);
    const wrong = { ...click({ eventId: 'b' }), time: 'yesterday' } as unknown as UserEvent;
    const [first, mistaken, last] = await Promise.allSettled([
      store.keep([click({ eventId: 'a' })]),
      store.keep([click({ eventId: 'c' }), wrong]),
      store.keep([click({ eventId: 'd' })]),
    ]);
    t.match([first, last], [{ value: ['accepted'] }, { value: ['accepted'] }]);
    t.equal(mistaken.status, 'rejected');
    t.not((mistaken as { reason?: { code?: string } }).reason?.code, 'EVENTS_UNAVAILABLE', 'it is ours');
    t.same(
      (await listAll(place)).map(({ eventId }) => eventId),
      ['a', 'd'],
    );
    t.same(await store.keep([click({ eventId: 'c' })]), ['accepted'], 'nothing half');
  });
}
