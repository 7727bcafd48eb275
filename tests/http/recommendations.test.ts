import t from 'tap';
import { writeCursor } from '../../src/http/cursor.js';
import type { RecommendationsAnswer } from '../../src/http/schemas/recommendations.js';
import { BUNDLE } from './memory-service.js';
import { build } from './build.js';

t.test('an answer has the fields of the contract, in their order', async (t) => {
  const { app } = build(t);
  const response = await app.inject('/recommendations/42?limit=2');
  t.equal(response.statusCode, 200);
  const { items, requestId, slateId, ...rest } = response.json<RecommendationsAnswer>();
  t.strictSame(Object.keys(response.json()), [
    'requestId',
    'slateId',
    'userId',
    'scenario',
    'bundle',
    'strategy',
    'degraded',
    'items',
    'nextCursor',
  ]);
  t.equal(requestId, response.headers['x-request-id']);
  t.match(slateId, /^[A-Za-z0-9_-]{22}$/);
  t.strictSame(rest, {
    userId: '42',
    scenario: 'home',
    bundle: BUNDLE.version,
    strategy: 'personalised',
    degraded: [],
    nextCursor: writeCursor({ subject: { userId: '42' }, scenario: 'home' }, items)!,
  });
  t.strictSame(items, [
    {
      itemId: '4',
      position: 1,
      score: 0.9,
      attributes: {
        title: 'Movie 4 (1953)',
        genres: ['Comedy', 'Sci-Fi: Classic'],
        year: 1950,
        restored: true,
      },
    },
    {
      itemId: '5',
      position: 2,
      score: 0.899,
      attributes: { title: 'Movie 5 (1954)', genres: ['Drama'], year: 1951, restored: false },
    },
  ]);
});

t.test('what was not asked gets its default', async (t) => {
  const { app, service } = build(t);
  await app.inject('/recommendations/42');
  t.strictSame(service.asked, [
    {
      subject: { userId: '42' },
      scenario: 'home',
      limit: 10,
      exclude: [],
      filters: [],
      explain: 'none',
    },
  ]);
});

t.test('every parameter reaches the pipeline', async (t) => {
  const { app, service } = build(t);
  const query =
    'limit=100&scenario=popular&exclude=7&exclude=8&filter=genres:Comedy&filter=genres:Drama&explain=sources';
  await app.inject(`/recommendations/a%2Fb%20c?${query}`);
  t.match(service.asked[0], {
    subject: { userId: 'a/b c' },
    scenario: 'popular',
    limit: 100,
    exclude: ['7', '8'],
    filters: [
      { attribute: 'genres', value: 'Comedy' },
      { attribute: 'genres', value: 'Drama' },
    ],
    explain: 'sources',
  });
});

t.test(
  'a single exclude or filter is a list of one, and the value of a filter may hold colons',
  async (t) => {
    const { app, service } = build(t);
    const response = await app.inject(
      '/recommendations/42?limit=3&exclude=4&filter=genres:Sci-Fi:%20Classic',
    );
    t.match(service.asked[0], {
      exclude: ['4'],
      filters: [{ attribute: 'genres', value: 'Sci-Fi: Classic' }],
    });
    t.strictSame(
      response.json<RecommendationsAnswer>().items.map(({ itemId }) => itemId),
      ['7', '10', '13'],
    );
  },
);

t.test('somebody unknown gets a cold start, not an error', async (t) => {
  const { app } = build(t);
  const response = await app.inject('/recommendations/nobody');
  t.equal(response.statusCode, 200);
  t.match(response.json(), { strategy: 'cold-start', items: [{ itemId: '1' }] });
});

t.test('sources and features come only when they are asked for, rounded', async (t) => {
  const { app } = build(t);
  const first = async (explain: string) =>
    (await app.inject(`/recommendations/42?explain=${explain}`)).json<RecommendationsAnswer>().items[0]!;
  t.strictSame(Object.keys(await first('none')), ['itemId', 'position', 'score', 'attributes']);
  t.strictSame((await first('sources')).sources, [{ name: 'popular', score: 0.1, rank: 1 }]);
  t.equal((await first('sources')).features, undefined);
  t.strictSame((await first('features')).features, { 'popular.score': 0.1 });
});

t.test('a stage that fell back is named in the answer, its cause is not', async (t) => {
  const { app, service } = build(t);
  service.degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
  service.cause = new Error('secret cause');
  const response = await app.inject('/recommendations/42');
  t.strictSame(response.json<RecommendationsAnswer>().degraded, service.degraded);
  t.notMatch(response.body, 'secret cause');
});

t.test('personal answers are not cached', async (t) => {
  const { app } = build(t);
  t.equal((await app.inject('/recommendations/42')).headers['cache-control'], 'no-store');
});

t.test('HEAD answers like GET, without the body', async (t) => {
  const { app } = build(t);
  const response = await app.inject({ method: 'HEAD', url: '/recommendations/42' });
  t.equal(response.statusCode, 200);
  t.equal(response.body, '');
});

t.test('a sane request id is kept, any other is replaced', async (t) => {
  const { app } = build(t);
  const idFor = async (id: string) => {
    const response = await app.inject({ url: '/recommendations/42', headers: { 'x-request-id': id } });
    t.equal(response.json<RecommendationsAnswer>().requestId, response.headers['x-request-id']);
    return response.headers['x-request-id'];
  };
  t.equal(await idFor('trace-1/2~3'), 'trace-1/2~3');
  t.equal(await idFor('x'.repeat(128)), 'x'.repeat(128));
  for (const id of ['', ' ', 'a b', 'x'.repeat(129), 'ü', 'a\tb']) {
    t.match(await idFor(id), /^[0-9a-f-]{36}$/, JSON.stringify(id));
  }
});

t.test('how long the client waits is said by header or parameter, and the lower counts', async (t) => {
  const { app, service, settings } = build(t);
  const told: unknown[] = [];
  const recommend = service.recommend.bind(service);
  service.recommend = (request, { deadline, sharedDeadline } = {}) => {
    // The request has less than the longest deadline by what it gives up.
    told.push(Math.round(settings.compute.deadlineMs - (sharedDeadline! - deadline!)));
    return recommend(request);
  };
  const { deadlineMs } = settings.compute;
  for (const path of ['/recommendations/42', '/items/7/similar', '/popular']) {
    await app.inject(path);
    await app.inject({ url: path, headers: { 'x-request-timeout-ms': '80' } });
    await app.inject(`${path}?timeoutMs=70`);
    await app.inject({ url: `${path}?timeoutMs=70`, headers: { 'x-request-timeout-ms': '80' } });
    await app.inject({ url: `${path}?timeoutMs=90`, headers: { 'x-request-timeout-ms': '80' } });
    t.same(told.splice(0), [deadlineMs, 80, 70, 70, 80], path);
    for (const timeout of ['0', '-1', '1.5', '1000000', 'soon', '']) {
      const { statusCode } = await app.inject(`${path}?timeoutMs=${timeout}`);
      t.equal(statusCode, 400, `${path} ${timeout}`);
    }
  }
  t.same(told, []);
});
