import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import { createStageRun } from '../../src/pipeline/run-stage.js';

t.test('stages are recorded in the order in which they end', async (t) => {
  const run = createStageRun();
  t.equal(await run.stage('rules', () => 1), 1);
  t.equal(await run.stage('ranking', async () => 2), 2);
  t.match(run.records, [
    { stage: 'rules', outcome: 'ok', milliseconds: Number },
    { stage: 'ranking', outcome: 'ok' },
  ]);
  t.same(run.degraded, []);
});

t.test('the failure of a dependency is answered by the fallback, with its cause for the log', async (t) => {
  const run = createStageRun();
  const cause = new ShortlistError('RANKER_FAILED', 'session lost');
  const fail = (): number => {
    throw cause;
  };
  t.equal(await run.stage('ranking', fail, () => 7), 7);
  t.match(run.records, [{ stage: 'ranking', outcome: 'fallback' }]);
  t.equal(run.records[0]!.cause, cause);
  t.same(run.degraded, [{ stage: 'ranking', reason: 'ranker_failed' }]);
});

t.test('without a fallback, or when it is our own mistake, the request fails', async (t) => {
  const run = createStageRun();
  const reject = async (error: Error): Promise<number> => {
    throw error;
  };
  await t.rejects(
    run.stage('rules', () => reject(new ShortlistError('SOURCE_FAILED', 'x'))),
    { message: 'x' },
  );
  await t.rejects(
    run.stage(
      'rules',
      () => reject(new TypeError('y')),
      () => 1,
    ),
    { message: 'y' },
  );
  await t.rejects(
    run.stage(
      'rules',
      () => reject(new ShortlistError('INVALID_REQUEST', 'z')),
      () => 1,
    ),
    { message: 'z' },
  );
  t.same(run.degraded, []);
});
