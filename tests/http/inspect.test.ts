import t from 'tap';
import { createApiKey } from '../../src/config/api-keys.js';
import { ShortlistError } from '../../src/domain/errors.js';
import { build } from './build.js';
import { createOpenapiValidator, type OpenapiDocument } from './openapi-validator.js';

const post = (
  admin: ReturnType<typeof build>['admin'],
  payload: object,
  headers: Record<string, string> = {},
) => admin.inject({ method: 'POST', url: '/inspect', payload, headers });

t.test(
  'asks of the body what POST /recommendations asks, with what is changed and what it is about',
  async (t) => {
    const { admin, service } = build(t);
    const answer = await post(admin, {
      userId: '42',
      scenario: 'home',
      limit: 3,
      exclude: ['9'],
      filter: ['genres:Drama'],
      context: ['device:mobile'],
      history: ['1', { itemId: '2', time: '2024-03-01T12:00:00Z', value: 2, type: 'click' }],
      without: { sources: ['als'], rules: ['cap'] },
      quotas: { popular: 5 },
      strengths: { diversity: 2 },
      about: ['7', '8', '7'],
      candidates: 'none',
    });
    t.equal(answer.statusCode, 200);
    t.equal(answer.headers['cache-control'], 'no-store');
    t.same(service.inspected, [
      {
        request: {
          subject: { userId: '42' },
          scenario: 'home',
          limit: 3,
          exclude: ['9'],
          filters: [{ attribute: 'genres', value: 'Drama' }],
          explain: 'none',
          context: [{ field: 'device', value: 'mobile' }],
          history: [{ itemId: '1' }, { itemId: '2', value: 2, type: 'click', time: 1_709_294_400 }],
        },
        changes: {
          withoutSources: ['als'],
          withoutRules: ['cap'],
          quotas: { popular: 5 },
          strengths: { diversity: 2 },
        },
        about: ['7', '8'],
        listsCandidates: false,
        release: 'stable',
      },
    ]);
    t.match(answer.json(), {
      release: 'stable',
      history: [{ itemId: '1', time: '2024-06-01T12:00:00.000Z' }],
      items: [{ itemId: '7' }, { itemId: '8' }],
    });
  },
);

t.test('an item, a session, nobody and a release can be asked about', async (t) => {
  const { admin, service } = build(t);
  const document = (await admin.inject('/openapi.json')).json<OpenapiDocument>();
  const validator = createOpenapiValidator(document);
  const operation = document.paths['/inspect']!['post']!;
  for (const body of [{ itemId: '7' }, { sessionId: 'v-6yTq0Zc1ROWk' }, {}, { release: 'canary' }]) {
    const answer = await post(admin, body);
    t.equal(answer.statusCode, 200, answer.body);
    const { statusCode: status, headers } = answer;
    const contentType = String(headers['content-type']);
    t.same(validator.problemsOfAnswer(operation, { status, contentType, body: answer.json() }), []);
  }
  t.same(
    service.inspected.map(({ request }) => [request.subject, request.scenario]),
    [
      [{ itemId: '7' }, 'similar'],
      [{ sessionId: 'v-6yTq0Zc1ROWk' }, 'home'],
      [{}, 'home'],
      [{}, 'home'],
    ],
  );
});

t.test('a wrong question is refused with the value and what is allowed', async (t) => {
  const { admin, service } = build(t);
  const many = (count: number): string[] => Array.from({ length: count }, (_, at) => String(at));
  for (const [body, detail] of [
    [{ about: many(21) }, /about is a list of 21, allowed is a list of at most 20/],
    [
      { history: many(5001) },
      /history is a list of 5001, allowed is a list of at most 5000, each an id, or an object/,
    ],
    [
      { history: [{ itemId: '1', time: 'yesterday' }] },
      /history\/0\/time is "yesterday", allowed is ISO 8601/,
    ],
    [{ userId: '1', itemId: '2' }, /itemId stands beside userId/],
    [{ history: ['1'], sessionItems: ['2'] }, /history stands beside sessionItems/],
    [{ history: ['1'], itemId: '2' }, /history stands beside/],
    [{ without: { sources: ['als'] }, quotas: { als: 5 } }, /both name als/],
    [{ candidates: 'some' }, /candidates is "some"/],
    [{ quotas: { als: 0 } }, /als is 0/],
    [{ strengths: { diversity: 11 } }, /diversity is 11/],
    [{ release: 'beta' }, /release is "beta"/],
    [{ userId: 'a\u0000b' }, /userId/],
    [{ nope: 1 }, /nope/],
  ] as const) {
    const answer = await post(admin, body);
    t.equal(answer.statusCode, 400, JSON.stringify(body));
    t.match(answer.json<{ detail: string }>().detail, detail);
  }
  t.equal(service.inspected.length, 0);
  for (const userId of ['x'.repeat(256), 'משתמש', '利用者'])
    t.equal((await post(admin, { userId })).statusCode, 200, userId.slice(0, 9));
});

t.test('who comes while another is computed is told to come back', async (t) => {
  const { admin, service } = build(t);
  service.failure = new ShortlistError('OVERLOADED', 'Another inspection is under way.');
  const answer = await post(admin, { userId: '42' });
  t.equal(answer.statusCode, 503);
  t.equal(answer.headers['retry-after'], '1');
});

t.test('a key needs the scope admin, and the user is in no log line', async (t) => {
  const [admins, readers] = [createApiKey('on-call', ['admin']), createApiKey('app', ['read'])];
  const { settings } = build(t);
  const { admin, readLog } = build(t, {
    auth: { ...settings.auth, mode: 'required', apiKeys: [admins.entry, readers.entry] },
  });
  const by = async (headers: Record<string, string>) =>
    (await post(admin, { userId: 'very-private-42' }, headers)).statusCode;
  t.same(
    [await by({}), await by({ 'x-api-key': readers.key }), await by({ 'x-api-key': admins.key })],
    [401, 403, 200],
  );
  t.notMatch(JSON.stringify(readLog()), /very-private-42/);
});

t.test('GET /items finds items, and refuses a search for nothing', async (t) => {
  const { admin } = build(t);
  const found = await admin.inject('/items?search=Movie%201&limit=2');
  t.same(found.json<{ items: object[] }>().items, [
    { itemId: '1', title: 'Movie 1 (1950)' },
    { itemId: '10', title: 'Movie 10 (1959)' },
  ]);
  for (const query of ['', '?search=', '?search=a&limit=51', '?search=a&limit=x'])
    t.equal((await admin.inject(`/items${query}`)).statusCode, 400, query);
});
