import t from 'tap';
import { ShortlistError } from '../../../src/domain/errors.js';
import type { RecommendationRequest } from '../../../src/pipeline/recommendation-request.js';
import { createShadow } from '../../../src/serving/experiments/shadow.js';
import { MemoryService } from '../../http/memory-service.js';

const request: RecommendationRequest = {
  subject: { userId: '42' },
  scenario: 'home',
  limit: 3,
  exclude: [],
  filters: [],
  explain: 'none',
};

function setUp({ maxUnderWay = 2, deadlineMs = 60_000 } = {}) {
  const service = new MemoryService();
  const seen: string[] = [];
  const shadow = createShadow(
    { find: ({ scenario }) => (scenario === 'home' ? service : undefined) },
    {
      maxUnderWay,
      deadlineMs,
      observer: {
        answered: () => seen.push('answered'),
        dropped: () => seen.push('dropped'),
        failed: (error) => seen.push((error as Error).message),
      },
    },
  );
  return { service, shadow, seen };
}

t.test('a request is scored beside who asks, and told of with its time', async (t) => {
  const { shadow, seen } = setUp();
  const told: unknown[] = [];
  shadow.score(request, (record, milliseconds) => told.push([record.slate.items.length, milliseconds >= 0]));
  t.same(told, [], 'nobody waits');
  await shadow.settle();
  t.same(told, [[3, true]]);
  t.same(seen, ['answered']);
  shadow.score({ ...request, scenario: 'popular' }, () => t.fail('it is not in the shadow'));
  await shadow.settle();
  t.equal(seen.length, 1);
});

t.test('what there is no room for is dropped, and there is room again later', async (t) => {
  const { service, shadow, seen } = setUp();
  const release = service.hold();
  for (let count = 0; count < 5; count++) shadow.score(request, () => undefined);
  t.same(seen, ['dropped', 'dropped', 'dropped']);
  t.equal(service.asked.length, 2);
  release();
  await shadow.settle();
  shadow.score(request, () => undefined);
  await shadow.settle();
  t.same(seen.slice(3), ['answered', 'answered', 'answered']);
});

t.test('a shadow without time has dropped the request; one that fails has failed', async (t) => {
  const { service, shadow, seen } = setUp();
  for (const failure of [
    new ShortlistError('OVERLOADED', 'too much'),
    new ShortlistError('DEADLINE_EXCEEDED', 'too late'),
    new ShortlistError('COMPUTE_FAILED', 'lost'),
    new TypeError('a mistake'),
  ]) {
    service.failure = failure;
    shadow.score(request, () => t.fail('there is nothing to tell'));
    await shadow.settle();
  }
  t.same(seen, ['dropped', 'dropped', 'lost', 'a mistake']);
});

t.test('who is told and fails over it costs nobody anything', async (t) => {
  const { shadow, seen } = setUp();
  shadow.score(request, () => {
    throw new Error('the log is broken');
  });
  await shadow.settle();
  t.same(seen, ['the log is broken']);
});
