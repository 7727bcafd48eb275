import t from 'tap';
import { ERRORS, ShortlistError, type ErrorCode } from '../../src/domain/errors.js';
import { toFailure } from '../../src/http/problem.js';
import { PUBLIC_CODES } from '../../src/http/schemas/problem.js';
import { build } from './build.js';

const CODES = Object.keys(ERRORS) as ErrorCode[];
const isPublic = (code: ErrorCode) => (PUBLIC_CODES as readonly ErrorCode[]).includes(code);

t.test('an error of ours keeps its code and status, and below 500 its message', async (t) => {
  const { app, service } = build(t);
  for (const code of PUBLIC_CODES.filter((each) => ERRORS[each].status < 500)) {
    service.failure = new ShortlistError(code, 'What is wrong.');
    const response = await app.inject('/popular');
    t.equal(response.statusCode, ERRORS[code].status);
    t.match(response.json(), { code, detail: 'What is wrong.' });
  }
});

t.test('an error of ours from 500 keeps its code and not its message', async (t) => {
  const { app, service } = build(t);
  for (const code of ['SOURCE_FAILED', 'RANKER_FAILED', 'RANKER_INVALID_OUTPUT', 'INTERNAL'] as const) {
    service.failure = new ShortlistError(code, 'secret/path/to.file');
    const response = await app.inject('/popular');
    t.match(response.json(), { code, status: ERRORS[code].status });
    t.notMatch(response.body, 'secret');
  }
});

t.test('an error of ours that is none of the client’s business is INTERNAL', async (t) => {
  const { app, service } = build(t);
  for (const code of CODES.filter((each) => !isPublic(each))) {
    service.failure = new ShortlistError(code, 'secret/path/to.file');
    const response = await app.inject('/popular');
    t.match(response.json(), { code: 'INTERNAL', status: 500 }, code);
    t.notMatch(response.body, 'secret');
  }
});

t.test('an error of others with a status is not taken for the client’s', async (t) => {
  const { app, service } = build(t);
  for (const marks of [
    { statusCode: 404, code: 'ENOENT' },
    { statusCode: 500, code: 'FST_ERR_ANYTHING' },
    { statusCode: '404', code: 'FST_ERR_ANYTHING' },
  ]) {
    service.failure = Object.assign(new Error('secret'), marks);
    const response = await app.inject('/popular');
    t.match(response.json(), { code: 'INTERNAL', status: 500 });
    t.notMatch(response.body, 'secret');
  }
});

t.test('every 503 says when to come back', async (t) => {
  const { app, service } = build(t);
  service.failure = new ShortlistError('RANKER_FAILED', 'x');
  t.equal((await app.inject('/popular')).headers['retry-after'], '1');
  service.failure = new Error('x');
  t.equal((await app.inject('/popular')).headers['retry-after'], undefined);
});

t.test('what the framework refuses never has a code that the listener does not list', async (t) => {
  const error = Object.assign(new Error('Too large.'), {
    code: 'FST_ERR_CTP_BODY_TOO_LARGE',
    statusCode: 413,
  });
  const under = (codes: readonly ErrorCode[]) => toFailure(error, { codes, faults: false });
  t.strictSame(under(PUBLIC_CODES), { code: 'PAYLOAD_TOO_LARGE', detail: 'Too large.' });
  t.strictSame(under(['INVALID_REQUEST']), { code: 'INVALID_REQUEST', detail: 'Too large.' });
});
