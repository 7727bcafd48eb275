import t from 'tap';
import { NOBODY } from '../../src/domain/subject.js';
import { BUNDLE } from './memory-service.js';
import { build } from './build.js';

const SLATE_ID = /^[A-Za-z0-9_-]{22}$/;

t.test('similar items start from the item, in the scenario similar', async (t) => {
  const { app, service } = build(t);
  const response = await app.inject(
    '/items/7/similar?limit=2&exclude=1&filter=genres:Comedy&explain=sources',
  );
  t.equal(response.statusCode, 200);
  t.match(service.asked[0], {
    subject: { itemId: '7' },
    scenario: 'similar',
    limit: 2,
    exclude: ['1'],
    filters: [{ attribute: 'genres', value: 'Comedy' }],
    explain: 'sources',
  });
  const { requestId, slateId, items, ...rest } = response.json<{
    requestId: string;
    slateId: string;
    items: { itemId: string }[];
  }>();
  t.equal(requestId, response.headers['x-request-id']);
  t.match(slateId, SLATE_ID);
  t.strictSame(rest, { itemId: '7', scenario: 'similar', bundle: BUNDLE.version, degraded: [] });
  t.strictSame(
    items.map(({ itemId }) => itemId),
    ['4', '10'],
  );
});

t.test('an item that nobody knows is a 404', async (t) => {
  const { app } = build(t);
  t.match((await app.inject('/items/nothing/similar')).json(), { status: 404, code: 'ITEM_NOT_FOUND' });
});

t.test('similar takes no scenario', async (t) => {
  const { app } = build(t);
  t.match((await app.inject('/items/7/similar?scenario=home')).json(), {
    status: 400,
    code: 'INVALID_REQUEST',
  });
});

t.test('popular starts from nobody, in the scenario popular', async (t) => {
  const { app, service } = build(t);
  const response = await app.inject('/popular?limit=1&exclude=1');
  t.match(service.asked[0], {
    subject: NOBODY,
    scenario: 'popular',
    limit: 1,
    exclude: ['1'],
    filters: [],
    explain: 'none',
  });
  t.match(response.json(), {
    slateId: SLATE_ID,
    scenario: 'popular',
    bundle: BUNDLE.version,
    degraded: [],
    items: [{ itemId: '2' }],
  });
});

t.test('popular takes no explain', async (t) => {
  const { app } = build(t);
  t.match((await app.inject('/popular?explain=sources')).json(), { status: 400, code: 'INVALID_REQUEST' });
});
