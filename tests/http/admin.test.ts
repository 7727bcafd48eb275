import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { BUNDLE } from './memory-service.js';
import { build } from './build.js';

t.test('/metrics counts the requests of the public listener and shows the bundle in service', async (t) => {
  const { app, admin, service } = build(t);
  await app.inject('/recommendations/42');
  service.failure = new Error('x');
  await app.inject('/recommendations/42');
  const response = await admin.inject('/metrics');
  t.match(response.headers['content-type'], 'text/plain; version=0.0.4');
  const labels = 'route="/recommendations/:userId",method="GET"';
  t.match(response.body, `shortlist_http_request_duration_seconds_count{${labels},status="200"} 1`);
  t.match(response.body, `shortlist_http_request_duration_seconds_count{${labels},status="500"} 1`);
  t.match(
    response.body,
    'shortlist_slates_total{scenario="home",strategy="personalised",size="full",release="stable"} 1',
  );
  t.match(response.body, `shortlist_bundle_info{version="${BUNDLE.version}"`);
});

t.test('/bundle describes the bundle in service, or is 503 without one', async (t) => {
  const { admin, service } = build(t);
  t.strictSame((await admin.inject('/bundle')).json(), BUNDLE);
  service.bundle = undefined;
  t.match((await admin.inject('/bundle')).json(), { status: 503, code: 'NOT_READY' });
});

t.test('/bundle/reload answers with the bundle that serves from now on', async (t) => {
  const { admin } = build(t);
  const response = await admin.inject({ method: 'POST', url: '/bundle/reload' });
  t.match(response.json(), { version: '20240602T120000Z-5e6f7a8b' });
  t.same((await admin.inject('/bundle')).json(), response.json());
  t.match((await admin.inject('/metrics')).body, 'shortlist_bundle_reloads_total{outcome="swapped"} 1');
});

t.test('a reload that is refused tells the operator why, while the old bundle serves on', async (t) => {
  const { app, admin, service } = build(t);
  const problems = ['ranker.onnx: sha256 differs', 'catalogue.parquet: is missing'];
  service.failure = new ShortlistError('INVALID_BUNDLE', 'The bundle v2 cannot be served:', { problems });
  const response = await admin.inject({ method: 'POST', url: '/bundle/reload' });
  t.match(response.json(), { status: 500, code: 'INVALID_BUNDLE' });
  for (const problem of problems) t.match(response.json<{ detail: string }>().detail, problem);
  service.failure = undefined;
  t.equal((await app.inject('/popular')).statusCode, 200);
  t.match((await admin.inject('/metrics')).body, 'shortlist_bundle_reloads_total{outcome="refused"} 1');
});

t.test('a fault that nobody foresaw stays in the log on the admin listener too', async (t) => {
  const { admin, service, readLog } = build(t);
  service.failure = new TypeError('secret');
  const response = await admin.inject({ method: 'POST', url: '/bundle/reload' });
  t.match(response.json(), { status: 500, code: 'INTERNAL' });
  t.notMatch(response.body, 'secret');
  t.match(readLog().at(-1), { level: 'error', route: '/bundle/reload', err: { message: 'secret' } });
});

t.test('bodies that the listener does not read are refused', async (t) => {
  const { admin } = build(t, { server: { maxBodyBytes: 10 } });
  const post = async (contentType: string, payload: string) => {
    const headers = { 'content-type': contentType };
    return (await admin.inject({ method: 'POST', url: '/bundle/reload', headers, payload })).json<unknown>();
  };
  t.match(await post('application/json', '{"a":"0123456789"}'), {
    status: 413,
    code: 'PAYLOAD_TOO_LARGE',
    detail: /10 bytes/,
  });
  t.match(await post('application/xml', '<a/>'), { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  t.match(await post('application/json', '{'), { status: 400, code: 'INVALID_REQUEST' });
});

t.test('what the admin listener has the public one has not, and the other way round', async (t) => {
  const { app, admin } = build(t);
  for (const url of ['/metrics', '/bundle']) t.equal((await app.inject(url)).statusCode, 404);
  t.equal((await app.inject({ method: 'POST', url: '/bundle/reload' })).statusCode, 404);
  t.equal((await admin.inject('/popular')).statusCode, 404);
  const wrong = await admin.inject('/bundle/reload');
  t.equal(wrong.statusCode, 405);
  t.equal(wrong.headers['allow'], 'POST');
});
