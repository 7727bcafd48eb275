import { join } from 'node:path';
import t from 'tap';
import { openGatedEvents } from '../support/gated-events.js';
import { publishContextBundle } from '../support/context-bundle.js';
import { startCachedServer } from '../support/cached-server.js';

const registry = join(t.testdir({}), 'models');
await publishContextBundle(registry, { year: 'year', seed: 5 });

interface Answer {
  readonly status: number;
  readonly cache: string | null;
  readonly code?: string;
  readonly detail?: string;
  readonly items?: readonly { itemId: string; attributes: Record<string, unknown> }[];
}

async function read(response: Response): Promise<Answer> {
  const body = (await response.json()) as object;
  return { status: response.status, cache: response.headers.get('x-cache'), ...body };
}

function send(url: string, path: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) }).then(read);
}

/** One question by every route that has filters and fields. */
function askEverywhere(url: string, asked: Record<string, string[]>): Promise<Answer[]> {
  const query = Object.entries(asked).flatMap(([name, texts]) =>
    texts.map((text) => `${name}=${encodeURIComponent(text)}`),
  );
  const paths = ['/recommendations/u1', '/recommendations/nobody', '/items/i002/similar', '/popular'];
  return Promise.all([
    ...paths.map((path) => fetch(`${url}${path}?limit=50&${query.join('&')}`).then(read)),
    send(url, '/recommendations', { userId: 'u1', limit: 50, ...asked }),
    send(url, '/rank', { candidates: ['i001', 'i002', 'i003', 'i004'], ...asked }),
  ]);
}

for (const workers of [0, undefined] as const) {
  const where = workers === 0 ? 'on the event loop' : 'in a thread';
  t.test(`every route filters and chooses fields alike, computed ${where}`, async (t) => {
    const server = await startCachedServer(t, registry, {
      ...(workers === 0 && { workers }),
      events: await openGatedEvents(t),
    });
    const { url } = server;

    for (const answer of await askEverywhere(url, {
      filter: ['year:>=1991', 'year:<2010', 'genres:!news'],
    })) {
      t.equal(answer.status, 200);
      t.ok(answer.items!.length > 0);
      for (const { attributes } of answer.items!) {
        t.ok(Number(attributes['year']) >= 1991 && Number(attributes['year']) < 2010);
        t.notMatch(attributes['genres'], ['news']);
      }
    }

    const refused: [asked: Record<string, string[]>, code: string, detail: RegExp][] = [
      [
        { filter: ['year:<cheap'] },
        'INVALID_REQUEST',
        /^filter is "year:<cheap", allowed for year \(number\) is/,
      ],
      [{ filter: ['genres:>=2000'] }, 'INVALID_REQUEST', /^filter is "genres:>=2000", allowed for genres/],
      [{ filter: ['colour:1'] }, 'UNKNOWN_ATTRIBUTE', /^Cannot filter on 'colour'/],
      [{ filter: ['year'] }, 'INVALID_REQUEST', /^filter(\/0)? is "year", allowed is `attribute:value`/],
      [{ exclude: ['i001,i002'] }, 'INVALID_REQUEST', /^exclude is "i001,i002", .*exclude=a&exclude=b/],
      [
        { fields: ['title', 'colour'] },
        'UNKNOWN_ATTRIBUTE',
        /^Cannot show 'colour'.*: title, genres, year\.$/,
      ],
    ];
    for (const [asked, code, detail] of refused) {
      for (const answer of await askEverywhere(url, asked)) {
        t.match(answer, { status: 400, code }, JSON.stringify(asked));
        t.match(answer.detail, detail);
      }
    }

    for (const answer of await askEverywhere(url, { fields: ['title,year'] }))
      t.strictSame(Object.keys(answer.items![0]!.attributes), ['title', 'year']);
    for (const answer of await askEverywhere(url, { fields: [''] }))
      t.strictSame(answer.items![0]!.attributes, {});
    await server.stop();
  });
}

t.test('an answer with some fields is kept apart from one with all', async (t) => {
  const server = await startCachedServer(t, registry, { workers: 0 });
  const ask = (query: string): Promise<Answer> => fetch(`${server.url}/popular${query}`).then(read);
  t.match(await ask(''), { cache: 'miss' });
  t.match(await ask('?fields=year'), { cache: 'miss', items: [{ attributes: { title: undefined } }] });
  t.match(await ask('?fields=year'), { cache: 'hit', items: [{ attributes: { year: Number } }] });
  t.match(await ask(''), { cache: 'hit', items: [{ attributes: { title: String } }] });
  t.match(await ask('?filter=year:%3E=2000'), { cache: 'miss' });
  t.match(await ask('?filter=year:%3E=2000'), { cache: 'hit' });
});

t.test('POST /rank is POST /recommendations with candidates, and needs them', async (t) => {
  const server = await startCachedServer(t, registry, { workers: 0 });
  const asked = { userId: 'u1', candidates: ['i010', 'i003', 'nothing', 'i007'], explain: 'sources' };
  const [ranked, recommended] = [
    await send(server.url, '/rank', asked),
    await send(server.url, '/recommendations', asked),
  ] as unknown as Record<string, unknown>[];
  const { requestId: _, slateId: __, cache, ...rest } = ranked!;
  t.equal(cache, 'miss');
  t.match(recommended, rest);
  t.equal(recommended!['cache'], 'hit', 'one answer, whoever asks');
  const { items, dropped } = ranked as { items: object[]; dropped: object[] };
  t.equal(items.length + dropped.length, asked.candidates.length);
  t.match(dropped, [{ itemId: 'i003' }, { itemId: 'nothing', reason: 'unknown' }, { itemId: 'i007' }]);
  t.match(await send(server.url, '/rank', { userId: 'u1' }), {
    status: 400,
    code: 'INVALID_REQUEST',
    detail: 'candidates is missing',
  });
  t.match(await send(server.url, '/rank', { candidates: [] }), { status: 400, detail: /^candidates is/ });
  t.match(await send(server.url, '/rank?limit=5', { candidates: ['i001'] }), { status: 400 });
  t.match(await fetch(`${server.url}/rank`).then(read), { status: 405, code: 'METHOD_NOT_ALLOWED' });
});
