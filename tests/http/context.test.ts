import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { build } from './build.js';

t.test('context is said as field and value, one per parameter, in their order', async (t) => {
  const { app, service } = build(t);
  await app.inject('/recommendations/42?context=device:mobile&context=place:a%3Ab');
  await app.inject('/recommendations/42?context=hour:13');
  await app.inject('/recommendations/42');
  t.same(
    service.asked.map(({ context }) => context),
    [
      [
        { field: 'device', value: 'mobile' },
        { field: 'place', value: 'a:b' },
      ],
      [{ field: 'hour', value: '13' }],
      undefined,
    ],
  );
});

t.test('what is no field and value is refused before anything is asked', async (t) => {
  const { app, service } = build(t);
  for (const text of ['device', ':mobile', 'device:', 'device:%00', `device:${'x'.repeat(600)}`]) {
    const response = await app.inject(`/recommendations/42?context=${text}`);
    t.match(response.json(), { status: 400, code: 'INVALID_REQUEST' }, text);
    t.match(response.json<{ detail: string }>().detail, 'field:value', text);
  }
  const many = Array.from({ length: 51 }, (_, index) => `context=f${index}:x`).join('&');
  t.equal((await app.inject(`/recommendations/42?${many}`)).statusCode, 400);
  t.same(service.asked, []);
});

t.test('what the bundle does not declare is the client’s mistake', async (t) => {
  const { app, service } = build(t);
  const detail = "Cannot take 'devise' as context. Fields of it: device.";
  service.failure = new ShortlistError('UNKNOWN_CONTEXT', detail);
  const response = await app.inject('/recommendations/42?context=devise:mobile');
  t.match(response.json(), { status: 400, code: 'UNKNOWN_CONTEXT', detail });
});

t.test('routes whose scenario asks no ranker take no context', async (t) => {
  const { app } = build(t);
  for (const path of ['/popular', '/items/1/similar']) {
    const response = await app.inject(`${path}?context=device:mobile`);
    t.match(response.json(), { status: 400, code: 'INVALID_REQUEST' }, path);
  }
});
