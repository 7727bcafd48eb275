import { Readable } from 'node:stream';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { openLocalEventStore } from '../../src/events/local/local-event-store.js';
import type { EventStore } from '../../src/events/event-store.js';
import { eventsUnavailable } from '../../src/events/event-store.js';
import { build } from '../http/build.js';
import { listEvents, SILENT_OBSERVER } from '../events/store-place.js';

interface Example {
  forwardEvents(
    stream: Readable,
    options: { url: string; key?: string; warn?: (...words: unknown[]) => void },
  ): Promise<void>;
}

const { forwardEvents } = (await import(resolve('examples/kafka-events/forward-events.js'))) as Example;

/** A topic of two partitions and what one group has committed of it; each delivery begins where that is. */
function createBroker(values: readonly object[]) {
  const committed = [0, 0];
  const partitions = [0, 1].map((partition) => values.filter((_, index) => index % 2 === partition));
  const deliver = (
    until = Number.POSITIVE_INFINITY,
    onCommit = async (): Promise<void> => undefined,
  ): Readable => {
    const messages = partitions.flatMap((own, partition) =>
      own.slice(committed[partition], until).map((value, index) => {
        const offset = committed[partition]! + index;
        return {
          topic: 'clicks',
          partition,
          offset: BigInt(offset),
          timestamp: BigInt(Date.now()),
          value,
          commit: async () => {
            await onCommit();
            committed[partition] = offset + 1;
          },
        };
      }),
    );
    return Readable.from(messages);
  };
  return { committed, deliver };
}

/** A server with a store of its own. @param wrap what stands before the store */
async function serve(t: Test, wrap: (store: EventStore) => EventStore = (store) => store) {
  const folder = mkdtempSync(join(tmpdir(), 'shortlist-kafka-'));
  const store = await openLocalEventStore({ folder, syncMs: 0, observer: SILENT_OBSERVER });
  t.teardown(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const { app } = build(t, {}, { events: wrap(store) });
  return {
    url: await app.listen({ port: 0, host: '127.0.0.1' }),
    items: () =>
      listEvents({ store: 'local', folder })
        .map(({ itemId }) => itemId)
        .toSorted(),
    list: () => listEvents({ store: 'local', folder }),
  };
}

const clicks = (count: number): object[] =>
  Array.from({ length: count }, (_, n) => ({ userId: `u${n % 7}`, itemId: `i${n}`, type: 'click' }));
const itemsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `i${n}`).toSorted();

t.test('what is delivered again counts once', async (t) => {
  const server = await serve(t);
  const broker = createBroker(clicks(2500));
  // Ends before anything is committed, three times, at other places.
  for (const until of [100, 700, 900]) {
    const failing = (): Promise<void> => Promise.reject(new Error('the group is balanced anew'));
    await t.rejects(forwardEvents(broker.deliver(until, failing), server), { message: /balanced/ });
  }
  t.same(broker.committed, [0, 0]);
  t.ok(server.items().length > 500, 'some of it is there');
  await forwardEvents(broker.deliver(), server);
  t.same(broker.committed, [1250, 1250]);
  t.same(server.items(), itemsOf(2500), 'each once');
  t.equal(server.list()[0]!.eventId, 'clicks/0/0');
});

t.test('negative control: without the place of the message as its id it counts twice', async (t) => {
  const server = await serve(t);
  const broker = createBroker(clicks(50));
  let deliveries = 0;
  const moved = (): Readable => {
    deliveries++;
    return Readable.from(
      broker.deliver().map((message: object) => ({ ...message, topic: `clicks-${deliveries}` })),
    );
  };
  await forwardEvents(moved(), server);
  broker.committed.fill(0);
  await forwardEvents(moved(), server);
  t.equal(server.items().length, 100);
});

t.test(
  'an offset is committed after the 202, and while there is none the same is posted again',
  async (t) => {
    const broker = createBroker(clicks(3));
    let refusals = 0;
    const server = await serve(t, (store) => ({
      ...store,
      keep: (events) => {
        t.same(broker.committed, [0, 0], 'nothing is committed before');
        if (refusals++ < 1) throw eventsUnavailable('the disk is full');
        return store.keep(events);
      },
    }));
    await forwardEvents(broker.deliver(), server);
    t.equal(refusals, 2);
    t.same(broker.committed, [2, 1]);
    t.same(server.items(), itemsOf(3));
  },
);

t.test('what can never be kept is told, and holds up nobody', async (t) => {
  const server = await serve(t);
  const told: unknown[][] = [];
  const bad = { userId: 'u1', itemId: 'x' };
  const broker = createBroker([...clicks(2), bad, { ...bad, type: 'Click' }, { itemId: 'y' }]);
  await forwardEvents(broker.deliver(), { ...server, warn: (...words) => void told.push(words) });
  t.same(broker.committed, [3, 2]);
  t.same(server.items(), itemsOf(2));
  t.equal(told.length, 3);
  t.match(told[0], ['refused', /^clicks\/[01]\/[12]$/, /type/]);
  const onlyBad = createBroker([bad, bad]);
  await forwardEvents(onlyBad.deliver(), { ...server, warn: (...words) => void told.push(words) });
  t.same(onlyBad.committed, [1, 1], 'a request of nothing but those too');
});

t.test('a time that a message says is kept, and else it is that of the message', async (t) => {
  const server = await serve(t);
  const time = Math.floor(Date.now() / 1000) - 3600;
  const broker = createBroker([
    { userId: 'u1', itemId: 'said', type: 'click', timestamp: time },
    { userId: 'u1', itemId: 'sent', type: 'click' },
  ]);
  const before = Date.now() / 1000;
  await forwardEvents(broker.deliver(), server);
  const times = new Map(server.list().map((event) => [event.itemId, event.time]));
  t.equal(times.get('said'), time);
  t.ok(times.get('sent')! >= before - 1);
});

t.test('messages that come one by one are posted as they come', async (t) => {
  const server = await serve(t);
  const broker = createBroker(clicks(40));
  const warnings: Error[] = [];
  const warn = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warn);
  t.teardown(() => process.off('warning', warn));
  const slow = Readable.from(
    (async function* () {
      for await (const message of broker.deliver()) {
        await setImmediate();
        yield message as object;
      }
    })(),
    { highWaterMark: 1 },
  );
  await forwardEvents(slow, server);
  t.same(server.items(), itemsOf(40));
  t.same(broker.committed, [20, 20]);
  await setImmediate();
  t.same(warnings, [], 'no listener is left behind');
});

t.test('a key that may not write ends it, and nothing is committed', async (t) => {
  const refusing = createServer((_request, answer) => answer.writeHead(403).end('{}')).listen(0, '127.0.0.1');
  await once(refusing, 'listening');
  t.teardown(() => refusing.close());
  const { port } = refusing.address() as AddressInfo;
  const broker = createBroker(clicks(2));
  await t.rejects(forwardEvents(broker.deliver(), { url: `http://127.0.0.1:${port}` }), { message: /403/ });
  t.same(broker.committed, [0, 0]);
});
