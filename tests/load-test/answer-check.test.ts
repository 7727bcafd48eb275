import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import {
  createAnswerCheck,
  createAnswerValidator,
  type OpenapiDocument,
} from '../../src/load-test/answer-check.js';
import type { Answer, Outcome } from '../../src/load-test/generate-load.js';
import { build } from '../http/build.js';

const ROUTE = '/recommendations/{userId}';

async function readDocument(t: Parameters<typeof build>[0]) {
  const { app, service } = build(t);
  const document = (await app.inject('/openapi.json')).json<OpenapiDocument>();
  const good = async (): Promise<Answer> => {
    const { statusCode, headers, body } = await app.inject('/recommendations/42?limit=3');
    return { status: statusCode, contentType: String(headers['content-type']), body };
  };
  return { document, good, service };
}

function outcomeOf(answer: Answer): Outcome {
  return { arrival: { second: 0, stage: 0 }, path: '/', intendedMs: 0, sentMs: 0, endedMs: 1, answer };
}

t.test('answers of the server pass its own document, and each departure from it is found', async (t) => {
  const { document, good } = await readDocument(t);
  const validate = createAnswerValidator(document, ROUTE);
  const answer = await good();
  const body = JSON.parse(answer.body) as { items: Record<string, unknown>[] };
  t.same(validate(answer, body), []);
  t.match(validate(answer, { ...body, strategy: 7 }), [/body\/strategy must be string/]);
  t.same(validate(answer, { ...body, strategy: 'guessed', extra: 1 }), [], 'a later release may add these');
  t.match(validate(answer, { ...body, items: [{ ...body.items[0], position: 0 }] }), [
    /body\/items\/0\/position/,
  ]);
  t.match(validate({ ...answer, contentType: '' }, body), ['200 with no content type is not declared']);
  t.match(validate({ ...answer, status: 204 }, body), [/204 with application\/json is not declared/]);
});

t.test('a document without the route is refused', async (t) => {
  const { document } = await readDocument(t);
  t.throws(() => createAnswerValidator(document, '/nothing'), {
    code: 'LOAD_TEST_FAILED',
    message: /GET \/nothing/,
  });
});

t.test(
  'an answer fails by its status, by a body that is no JSON, and by one that the document refuses',
  async (t) => {
    const { document, good, service } = await readDocument(t);
    const check = createAnswerCheck({
      validate: createAnswerValidator(document, ROUTE),
      validateShare: 1,
      random: createSeededRandom(1),
    });
    const answer = await good();
    t.same(check(outcomeOf(answer)), { degraded: false, validated: true });
    t.match(check(outcomeOf({ ...answer, status: 503, body: 'busy' })), {
      failure: { kind: 'status', message: '503 busy' },
      validated: false,
    });
    t.match(check(outcomeOf({ ...answer, body: '<html>' })), {
      failure: { kind: 'body', message: 'no JSON: <html>' },
    });
    t.match(check(outcomeOf({ ...answer, body: '{}' })), { failure: { kind: 'body' }, validated: true });
    const { answer: _none, ...unanswered } = outcomeOf(answer);
    t.match(check({ ...unanswered, failure: { kind: 'timeout', message: 'late' } }), {
      failure: { kind: 'timeout' },
    });
    service.degraded = [{ stage: 'ranking', reason: 'ranker_failed' }];
    t.same(check(outcomeOf(await good())), { degraded: true, validated: true });
  },
);

t.test('bodies are checked in the share that is asked for', async (t) => {
  const check = createAnswerCheck({ validate: () => [], validateShare: 0.25, random: createSeededRandom(1) });
  const answer = { status: 200, contentType: 'application/json', body: '[]' };
  const verdicts = Array.from({ length: 4000 }, () => check(outcomeOf(answer)));
  const checked = verdicts.filter(({ validated }) => validated).length;
  t.ok(checked > 850 && checked < 1150, `${checked} of 4000`);
});
