import { join } from 'node:path';
import t from 'tap';
import { publishLiveBundle } from '../support/live-bundle.js';
import { type ServingProcess, startServingProcess } from '../support/serving-process.js';

/** Every day a part; `make test-failures` the 10,000 of the figure. */
const REQUESTS = process.env['LONG_TESTS'] === '1' ? 10_000 : 200;
const LANES = 8;

const dir = t.testdir();
const models = join(dir, 'models');
await publishLiveBundle(models);
/** No answer is the fallback, however busy the machine is. */
const compute = { deadlineMs: 60_000 };
const changes = { compute, events: { enabled: true, folder: join(dir, 'events') } };

interface Answer {
  readonly strategy: string;
  readonly items: readonly { readonly itemId: string }[];
}

/** A connection for each request: in a group any process may take it. */
async function post(url: string, path: string, body: object): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

/**
 * Tells of a click of somebody whom nobody knew, a user or a visitor, and asks what they may like when that is answered: how many of the
 * answers had seen it.
 */
async function countSeen(
  who: string,
  [told, asked]: readonly [told: string, asked: string],
): Promise<number> {
  let next = 0;
  let seen = 0;
  const askOn = async (): Promise<void> => {
    while (next < REQUESTS) {
      const number = next++;
      const subject = { [number % 2 === 0 ? 'userId' : 'sessionId']: `${who} ${number}` };
      const itemId = `i${String(number % 59).padStart(3, '0')}`;
      const { status } = await post(told, '/events', { events: [{ ...subject, itemId, type: 'click' }] });
      if (status !== 202) continue;
      const { body } = await post(asked, '/recommendations', { ...subject, limit: 100 });
      const { strategy, items } = body as Answer;
      if (strategy === 'personalised' && items.length > 0 && items.every((item) => item.itemId !== itemId))
        seen++;
    }
  };
  await Promise.all(Array.from({ length: LANES }, askOn));
  return seen;
}

async function stop({ child, ended }: ServingProcess): Promise<void> {
  child.kill('SIGTERM');
  await ended;
}

t.test(`of ${REQUESTS} requests that begin after a 202 all have seen the event`, async (t) => {
  const server = await startServingProcess(t, models, { changes });
  const url = await server.url;
  t.equal(await countSeen('one process', [url, url]), REQUESTS);
  await stop(server);
});

t.test('so have the next requests of a sibling process, and of one that starts later', async (t) => {
  const [first, second] = await Promise.all([1, 2].map(() => startServingProcess(t, models, { changes })));
  const urls = [await first!.url, await second!.url] as const;
  t.equal(await countSeen('a sibling', urls), REQUESTS);
  await Promise.all([stop(first!), stop(second!)]);
  const later = await startServingProcess(t, models, { changes });
  const url = await later.url;
  const { body } = await post(url, '/recommendations', { userId: 'a sibling 0' });
  t.equal((body as Answer).strategy, 'personalised');
  await stop(later);
});

t.test('so have those of every process of a group', async (t) => {
  const group = await startServingProcess(t, models, { changes, args: ['--processes', '2'] });
  const url = await group.url;
  t.equal(await countSeen('a group', [url, url]), REQUESTS);
  await stop(group);
});

t.test('where events are off, nothing of it is there', async (t) => {
  const server = await startServingProcess(t, models, { changes: { compute, events: { enabled: false } } });
  const url = await server.url;
  t.match(await post(url, '/events', { events: [{ userId: 'u', itemId: 'i001', type: 'click' }] }), {
    status: 404,
  });
  const { body } = await post(url, '/recommendations', { userId: 'one process 0' });
  t.equal((body as Answer).strategy, 'cold-start', 'control: what others have seen is seen by events alone');
  await stop(server);
});
