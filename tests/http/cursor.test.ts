import { crc32 } from 'node:zlib';
import t, { type Test } from 'tap';
import { hashId } from '../../src/domain/id-table.js';
import { readCursor, writeCursor } from '../../src/http/cursor.js';
import { startTokenIssuer } from '../support/token-issuer.js';
import { build } from './build.js';

const ORIGIN = { subject: { userId: '42' }, scenario: 'home' };
const items = (...ids: string[]) => ids.map((itemId) => ({ itemId }));

t.test('a cursor says what all pages have shown, and is of its origin', async (t) => {
  const first = writeCursor(ORIGIN, items('a', 'b'))!;
  t.match(first, /^[A-Za-z0-9_-]+$/);
  const shown = readCursor(first, ORIGIN);
  t.same(shown, [hashId('a'), hashId('b')]);
  const second = writeCursor({ ...ORIGIN, shown }, items('c'))!;
  t.same(readCursor(second, ORIGIN), [...shown, hashId('c')]);
  const others = [
    { ...ORIGIN, scenario: 'popular' },
    { ...ORIGIN, subject: { userId: '43' } },
    { ...ORIGIN, subject: { sessionId: '42' } },
    { ...ORIGIN, subject: {} },
  ];
  for (const other of others) {
    t.throws(() => readCursor(first, other), { code: 'INVALID_CURSOR' }, JSON.stringify(other));
    t.same(readCursor(writeCursor(other, items('a'))!, other), [hashId('a')]);
  }
  t.same(
    readCursor(first, { ...ORIGIN, subject: { userId: '42', sessionId: 'v-17' } }),
    shown,
    'a user is one in every visit',
  );
});

t.test('nothing but a whole cursor is one', async (t) => {
  const cursor = writeCursor(ORIGIN, items('a', 'b', 'c'))!;
  const bytes = Buffer.from(cursor, 'base64url');
  const damaged = [
    '',
    'x',
    '\u0000',
    'null',
    cursor.slice(1),
    cursor.slice(0, -1),
    cursor.slice(0, 20),
    `${cursor}A`,
    `${cursor}=`,
    ` ${cursor}`,
    `${cursor}\n`,
    `${cursor}${cursor}`,
    cursor.toLowerCase(),
    Buffer.alloc(13).toString('base64url'),
    Buffer.alloc(17).toString('base64url'),
    Buffer.alloc(3000).toString('base64url'),
    'A'.repeat(20_000),
    ...Array.from(bytes, (byte, at) => {
      const changed = Buffer.from(bytes);
      changed[at] = byte ^ 1;
      return changed.toString('base64url');
    }),
  ];
  for (const text of damaged)
    t.throws(() => readCursor(text, ORIGIN), { code: 'INVALID_CURSOR' }, text.slice(0, 40));
  // Whoever makes one by hand may, and gets no more of it than by `exclude`: no longer one is taken, and none of another format.
  const sign = (body: Buffer): string => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([body, sum]).toString('base64url');
  };
  const head = bytes.subarray(0, 13);
  t.equal(readCursor(sign(Buffer.concat([head, Buffer.alloc(2000)])), ORIGIN).length, 500, 'control');
  t.throws(() => readCursor(sign(Buffer.concat([head, Buffer.alloc(2004)])), ORIGIN), {
    code: 'INVALID_CURSOR',
  });
  t.throws(() => readCursor(sign(Buffer.concat([head, Buffer.alloc(3)])), ORIGIN), {
    code: 'INVALID_CURSOR',
  });
  t.throws(() => readCursor(sign(Buffer.concat([Buffer.of(2), head.subarray(1)])), ORIGIN), {
    code: 'INVALID_CURSOR',
  });
});

t.test('500 items fit into a cursor, and into a URL; 501 do not', async (t) => {
  const ids = Array.from({ length: 500 }, (_, at) => `i${at}`);
  const longest = writeCursor(ORIGIN, items(...ids))!;
  t.equal(longest.length, 2690);
  t.equal(readCursor(longest, ORIGIN).length, 500);
  t.equal(writeCursor(ORIGIN, items(...ids, 'one-more')), undefined);
  t.equal(writeCursor({ ...ORIGIN, shown: readCursor(longest, ORIGIN) }, items('one-more')), undefined);
  const { app, service } = build(t);
  const exclude = ids.map((id) => `exclude=${id}`).join('&');
  t.equal((await app.inject(`/recommendations/42?cursor=${longest}&${exclude}`)).statusCode, 200);
  t.equal(service.asked[0]!.shown!.length, 500);
});

interface Answer {
  readonly items: readonly { readonly itemId: string }[];
  readonly dropped?: readonly { readonly itemId: string }[];
  readonly nextCursor?: string;
  readonly code: string;
  readonly detail: string;
}

function setUp(t: Test, overrides: Parameters<typeof build>[1] = {}) {
  const built = build(t, overrides);
  const get = async (path: string) => {
    const answer = await built.app.inject(path);
    return { status: answer.statusCode, body: answer.json<Answer>() };
  };
  const post = async (payload: object, headers: Record<string, string> = {}) => {
    const answer = await built.app.inject({ method: 'POST', url: '/recommendations', payload, headers });
    return { status: answer.statusCode, body: answer.json<Answer>() };
  };
  return { ...built, get, post };
}

const idsOf = ({ body }: { body: Answer }) => body.items.map(({ itemId }) => itemId);

t.test('pages go on to the end of the list, by URL and by body, and show nothing twice', async (t) => {
  const { get, post } = setUp(t);
  const walks: ((cursor: string | undefined) => Promise<{ status: number; body: Answer }>)[] = [
    (cursor) => get(`/recommendations/42?limit=20${cursor === undefined ? '' : `&cursor=${cursor}`}`),
    (cursor) => post({ userId: '42', limit: 20, ...(cursor !== undefined && { cursor }) }),
    (cursor) => post({ sessionId: 'v-17', limit: 50, ...(cursor !== undefined && { cursor }) }),
    (cursor) => post({ limit: 50, ...(cursor !== undefined && { cursor }) }),
  ];
  const lengths: number[][] = [];
  for (const walk of walks) {
    const pages: string[][] = [];
    let cursor: string | undefined;
    do {
      const page = await walk(cursor);
      t.equal(page.status, 200);
      pages.push(idsOf(page));
      cursor = page.body.nextCursor;
    } while (cursor !== undefined);
    t.equal(new Set(pages.flat()).size, pages.flat().length);
    lengths.push(pages.map(({ length }) => length));
  }
  // 150 films, of which user 42 has seen three.
  t.same(lengths, [
    [20, 20, 20, 20, 20, 20, 20, 7],
    [20, 20, 20, 20, 20, 20, 20, 7],
    [50, 50, 50],
    [50, 50, 50],
  ]);
});

t.test('the URL and the body of one question have one cursor, which no other question has', async (t) => {
  const { get, post } = setUp(t);
  const { nextCursor } = (await get('/recommendations/42?limit=2')).body;
  t.equal((await post({ userId: '42', limit: 2 })).body.nextCursor, nextCursor);
  t.same(idsOf(await post({ userId: '42', limit: 2, cursor: nextCursor! })), ['6', '7']);
  const table: [string, () => Promise<{ status: number; body: Answer }>][] = [
    ['another user', () => get(`/recommendations/43?cursor=${nextCursor}`)],
    ['another user of a body', () => post({ userId: '43', cursor: nextCursor! })],
    ['nobody', () => post({ cursor: nextCursor! })],
    ['a session of that id', () => post({ sessionId: '42', cursor: nextCursor! })],
    ['another scenario', () => get(`/recommendations/42?scenario=popular&cursor=${nextCursor}`)],
    ['a part of one', () => get(`/recommendations/42?cursor=${nextCursor!.slice(0, -2)}`)],
    ['an empty one', () => get('/recommendations/42?cursor=')],
    ['any text', () => post({ cursor: 'next' })],
  ];
  for (const [what, ask] of table) {
    t.match(await ask(), { status: 400, body: { code: 'INVALID_CURSOR', detail: /begin anew/ } }, what);
  }
  t.match(await get(`/recommendations/42?cursor=${nextCursor}&cursor=${nextCursor}`), {
    status: 400,
    body: { code: 'INVALID_REQUEST', detail: /^cursor is \[/ },
  });
  t.match(await post({ cursor: 7 }), {
    status: 400,
    body: { code: 'INVALID_REQUEST', detail: /^cursor is 7/ },
  });
  for (const path of ['/popular', '/items/7/similar'])
    t.match((await get(`${path}?cursor=${nextCursor}`)).body.detail, /"cursor" is not a query parameter/);
});

t.test('a token that is bound to a user does not go on where another one stopped', async (t) => {
  const issuer = await startTokenIssuer(t);
  const jwt = { ...build(t).settings.jwt, ...issuer.settings };
  const { post, service } = setUp(t, { auth: { mode: 'required' }, jwt });
  const headers = { authorization: `Bearer ${await issuer.sign()}` };
  const other = { authorization: `Bearer ${await issuer.sign({ sub: 'u2' })}` };
  const { nextCursor: cursor } = (await post({ userId: 'u2' }, other)).body;
  t.equal((await post({ userId: 'u2', cursor: cursor! }, other)).status, 200, 'control');
  t.match(await post({ userId: 'u1', cursor: cursor! }, headers), {
    status: 400,
    body: { code: 'INVALID_CURSOR' },
  });
  t.equal((await post({ userId: 'u2', cursor: cursor! }, headers)).status, 403);
  t.equal(service.asked.length, 2);
});

t.test('of candidates the pages show each once, and say the same of what is dropped', async (t) => {
  const { post } = setUp(t);
  const asked = { userId: '42', candidates: ['9', '8', '1', 'x', '7', '6'], limit: 3 };
  const first = await post(asked);
  const second = await post({ ...asked, cursor: first.body.nextCursor! });
  t.same([idsOf(first), idsOf(second)], [['6', '7', '8'], ['9']]);
  t.equal(second.body.nextCursor, undefined);
  t.same(second.body.dropped, first.body.dropped);
});
